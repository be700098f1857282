"""Records of a run in the result formats of VLMEvalKit and of lmms-eval, so that their tables can hold ours.

VLMEvalKit: ``<model>/<model>_<data set>.tsv`` with one row an item (``index``, ``question``, ``answer``, ``prediction`` and what
its scorers read), and the accuracies that it counts in that file itself. lmms-eval: ``<model>/<stamp>_results.json`` and
``<model>/<stamp>_samples_<task>.jsonl``. Suites that neither project knows go under their own names, with exact matches as the
metric. Neither project's code is needed, and none is used. Items that could not be asked are left out, but keep their number.

Where VLMEvalKit's rules differ from the published ones, its table follows its own: it never counts a list as right.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks import chartqa, mathvista
from vision_zero.evaluation.benchmarks.json_files import json_lines, write_atomically
from vision_zero.evaluation.benchmarks.mathvista import GROUPS
from vision_zero.evaluation.suite import Record, scores_of

_VLMEVALKIT = {chartqa.NAME: "ChartQA_TEST", mathvista.NAME: "MathVista_MINI"}
_LMMS_EVAL = {chartqa.NAME: "chartqa", mathvista.NAME: "mathvista_testmini_solution"}
"""Tasks that have samples: ``mathvista_testmini`` is a group there, and ``solution`` its task with the published hints."""
_READ_BY_RULES = "Prefetch succeed"
_UNREAD = "no answer"
"""In the place of ``N/A``, which pandas reads as a number that is missing."""
_LOST = frozenset("#N/A #NA -1.#IND -1.#QNAN -NaN -nan 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null".split())
"""Texts that pandas reads as missing; with a space before them, which its scorer strips off, they stay."""
_ORIGIN_SPLITS = {"human": "test_human", "augmented": "test_augmented"}


def export_vlmevalkit(records: Sequence[Record], folder: Path, model: str) -> list[Path]:
    """Write the predictions and the accuracies below ``folder``; returns the files.

    Raises:
        EvaluationError: there are no records, or not all of one benchmark.
    """
    benchmark, name = _benchmark(records), _safe(model)
    stem = folder / name / f"{name}_{_VLMEVALKIT.get(benchmark, _safe(benchmark))}"
    rows = [_vlmevalkit_row(number, record) for number, record in enumerate(records) if not record.fault]
    predictions = stem.with_name(f"{stem.name}.tsv")
    write_atomically(predictions, _separated(rows, "\t"))
    scores = stem.with_name(f"{stem.name}_{'acc' if benchmark == chartqa.NAME else 'score'}.csv")
    write_atomically(scores, _separated(_vlmevalkit_scores(records, benchmark), ","))
    return [predictions, scores]


def export_lmms_eval(records: Sequence[Record], folder: Path, model: str, stamp: str) -> list[Path]:
    """Write the samples and the results below ``folder``; returns the files.

    Args:
        stamp: begins the names of the files, in place of the time at which lmms-eval ran: ``20250101_120000``.

    Raises:
        EvaluationError: there are no records, or not all of one benchmark.
    """
    benchmark = _benchmark(records)
    task, below = _LMMS_EVAL.get(benchmark, _safe(benchmark)), folder / _safe(model)
    samples = below / f"{_safe(stamp)}_samples_{task}.jsonl"
    lines = [_lmms_sample(number, record, benchmark) for number, record in enumerate(records) if not record.fault]
    write_atomically(samples, json_lines(lines))
    results = below / f"{_safe(stamp)}_results.json"
    document = {
        "results": {task: {"alias": task, **_lmms_metrics([record for record in records if not record.fault], benchmark)}},
        "configs": {task: {"task": task}},
        "versions": {task: "Yaml"},
        "n-shot": {task: 0},
        "n-samples": {task: {"original": len(records), "effective": len(lines)}},
        "model_name": model,
        "model_name_sanitized": _safe(model),
    }
    write_atomically(results, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return [samples, results]


def _vlmevalkit_row(number: int, record: Record) -> dict[str, Any]:
    row: dict[str, Any] = {"index": number, "question": record.prompt, "answer": _answer(record), "prediction": record.response}
    if record.benchmark == chartqa.NAME:
        # Its scorer compares the whole prediction, as the published rule does: that is what was scored here, too.
        # A label that pandas would lose, or that looks like a list, is written as the list that its scorer takes, too.
        is_text = len(record.answers) == 1 and _answer(record) not in _LOST and not _answer(record).startswith("[")
        labels = _answer(record) if is_text else repr(list(record.answers))
        kept = f" {record.prediction}" if record.prediction in _LOST else record.prediction
        said = {"answer": labels, "prediction": kept, "response": record.response}
        return {**row, **said, "split": _ORIGIN_SPLITS[record.groups["origin"][0]]}
    if record.benchmark != mathvista.NAME:
        return {**row, "hit": int(bool(record.is_right)), "category": ", ".join(chain.from_iterable(record.groups.values()))}
    choices = list(record.details.get("choices", ()))
    return {
        **row,
        **_joined(record, "question_type", "answer_type", "source", "task", "grade"),
        "pid": record.key,
        "choices": repr(choices),
        "answer_option": _letter(_answer(record), choices),
        "skills": repr(list(record.groups.get("skills", ()))),
        "res": _letter(record.prediction, choices) or record.prediction or _UNREAD,
        "log": _READ_BY_RULES if record.is_answered else _UNREAD,
    }


def _letter(choice: str | None, choices: Sequence[str]) -> str:
    return chr(ord("A") + choices.index(choice)) if choice in choices else ""


def _vlmevalkit_scores(records: Sequence[Record], benchmark: str) -> list[dict[str, Any]]:
    scores = scores_of(benchmark, records)
    overall = scores.overall
    if overall is None:
        return []
    if benchmark == chartqa.NAME:
        by_split = {_ORIGIN_SPLITS[name]: 100 * value.accuracy for name, value in scores.groups["origin"].items()}
        return [{**by_split, "Overall": 100 * overall.accuracy}]
    if benchmark != mathvista.NAME:
        by_value = {value: 100 * part.accuracy for values in scores.groups.values() for value, part in values.items()}
        return [{"split": "test", "Overall": 100 * overall.accuracy, **by_value}]
    counted: dict[str, list[Record]] = {"Overall": []}
    for record in records:
        if not record.fault:
            for name in ("Overall", *record.groups.get("skills", ()), *record.groups.get("task", ())):
                counted.setdefault(name, []).append(record)
    return [_vlmevalkit_score(name, own) for name, own in counted.items()]


def _vlmevalkit_score(name: str, records: Sequence[Record]) -> dict[str, Any]:
    fetched = sum(record.is_answered for record in records)
    hit = sum(map(_hits, records))
    total = len(records)
    shares = {"prefetch_rate": 100 * fetched / total, "acc": 100 * hit / total}
    return {"Task&Skill": name, "tot": total, "prefetch": fetched, "hit": hit, **shares}


def _hits(record: Record) -> bool:
    """As VLMEvalKit counts what is written for this record: numbers by value, so that 1.5 is 1.50; a list never."""
    kinds = record.groups.get("answer_type", ())
    if "list" in kinds:
        return False
    if "text" in kinds or record.prediction is None:
        return bool(record.is_right)
    try:
        return float(record.prediction) == float(_answer(record))
    except ValueError:
        return False


def _lmms_sample(number: int, record: Record, benchmark: str) -> dict[str, Any]:
    right = float(bool(record.is_right))
    if benchmark == chartqa.NAME:
        origin = record.groups["origin"][0]
        metrics: dict[str, Any] = {"relaxed_overall": right, f"relaxed_{origin}_split": right}
    elif benchmark != mathvista.NAME:
        metrics = {"exact_match": right}
    else:
        result = {
            "question_id": record.key,
            "query": record.prompt,
            "choices": record.details.get("choices") or None,
            "answer": _answer(record),
            "extraction": record.extraction,
            "prediction": record.prediction,
            "true_false": bool(record.is_right),
            **_joined(record, "question_type", "answer_type"),
            "precision": record.details.get("precision"),
            "metadata": _metadata(record),
        }
        metrics = {"llm_as_judge_eval": result, "submission": result}
    return {
        "doc_id": number,
        "target": _answer(record),
        "input": record.prompt,
        "resps": [[record.response]],
        "filtered_resps": [(record.prediction or "") if benchmark == chartqa.NAME else record.response],
        "doc_hash": hashlib.sha256(f"{record.key}\n{record.prompt}".encode()).hexdigest(),
        **metrics,
    }


def _metadata(record: Record) -> dict[str, Any]:
    """The problem's, with every breakdown that lmms-eval's aggregation looks up."""
    groups = [name for name in GROUPS if not name.endswith("_type")]
    own = {**_joined(record, *groups), "skills": list(record.groups.get("skills", ()))}
    return {"split": "testmini", **own, **record.details.get("metadata", {})}


def _lmms_metrics(records: Sequence[Record], benchmark: str) -> dict[str, float]:
    """Each metric with its standard error; MathVista's is in percent there, ChartQA's a share."""
    if benchmark == mathvista.NAME:
        groups = {"llm_as_judge_eval": (100.0, records)}
    elif benchmark != chartqa.NAME:
        groups = {"exact_match": (1.0, records)}
    else:
        by_origin = {
            f"relaxed_{origin}_split": (1.0, [record for record in records if origin in record.groups["origin"]])
            for origin in ("human", "augmented")
        }
        groups = {"relaxed_overall": (1.0, records), **by_origin}
    found = {}
    for name, (scale, own) in groups.items():
        values = [float(bool(record.is_right)) for record in own if record.is_right is not None]
        if values:
            mean = sum(values) / len(values)
            found[f"{name},none"] = round(scale * mean, 2) if scale > 1 else mean
            found[f"{name}_stderr,none"] = scale * math.sqrt(mean * (1 - mean) / max(len(values) - 1, 1))
    return found


def _benchmark(records: Sequence[Record]) -> str:
    names = sorted({record.benchmark for record in records})
    if len(names) != 1:
        raise EvaluationError(f"an export needs the records of one benchmark; these are of {', '.join(names) or 'none'}")
    return names[0]


def _joined(record: Record, *names: str) -> dict[str, str]:
    """Of these breakdowns the values, as one text each."""
    return {name: ", ".join(record.groups.get(name, ())) for name in names}


def _answer(record: Record) -> str:
    return record.answers[0] if record.answers else ""


def _separated(rows: Sequence[dict[str, Any]], delimiter: str) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def _safe(name: str) -> str:
    """A name that is safe as a file's."""
    return re.sub(r"[^\w.-]+", "__", name).strip(".") or "model"
