"""Records of a run in the result formats of VLMEvalKit and of lmms-eval, so that their tables can hold ours.

VLMEvalKit: ``<model>/<model>_<data set>.tsv`` with one row an item (``index``, ``question``, ``answer``, ``prediction`` and what
its scorers read), and the accuracies as it writes them. lmms-eval: ``<model>/<stamp>_results.json`` and
``<model>/<stamp>_samples_<task>.jsonl``. Suites that neither project knows go under their own names, with exact matches as the
metric. Neither project's code is needed, and none is used.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks import chartqa, mathvista
from vision_zero.evaluation.benchmarks.benchmark import Record, scores_of
from vision_zero.evaluation.benchmarks.files import write_atomically

_VLMEVALKIT = {chartqa.NAME: "ChartQA_TEST", mathvista.NAME: "MathVista_MINI"}
_LMMS_EVAL = {chartqa.NAME: "chartqa", mathvista.NAME: "mathvista_testmini"}
_ORIGIN_SPLITS = {"human": "test_human", "augmented": "test_augmented"}


def export_vlmevalkit(records: Sequence[Record], folder: Path, model: str) -> list[Path]:
    """Write the predictions and the accuracies below ``folder``; returns the files.

    Raises:
        EvaluationError: there are no records, or not all of one benchmark.
    """
    benchmark, name = _benchmark(records), _safe(model)
    stem = folder / name / f"{name}_{_VLMEVALKIT.get(benchmark, _safe(benchmark))}"
    rows = [_vlmevalkit_row(number, record) for number, record in enumerate(records)]
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
    lines = (_lmms_sample(number, record, benchmark) for number, record in enumerate(records))
    write_atomically(samples, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    results = below / f"{_safe(stamp)}_results.json"
    document = {
        "results": {task: {"alias": task, **_lmms_metrics(records, benchmark)}},
        "configs": {task: {"task": task}},
        "versions": {task: "Yaml"},
        "n-shot": {task: 0},
        "n-samples": {task: {"original": len(records), "effective": len(records)}},
        "model_name": model,
        "model_name_sanitized": _safe(model),
    }
    write_atomically(results, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return [samples, results]


def _vlmevalkit_row(number: int, record: Record) -> dict[str, Any]:
    row: dict[str, Any] = {"index": number, "question": record.prompt, "answer": _answer(record), "prediction": record.response}
    if record.benchmark == chartqa.NAME:
        return {**row, "split": _ORIGIN_SPLITS[record.groups["origin"][0]]}
    if record.benchmark != mathvista.NAME:
        return {**row, "hit": int(bool(record.is_right)), "category": ", ".join(value for _, value in _values(record))}
    choices = list(record.details.get("choices", ()))
    letter = chr(ord("A") + choices.index(_answer(record))) if _answer(record) in choices else ""
    groups = {
        name: ", ".join(record.groups.get(name, ())) for name in ("question_type", "answer_type", "source", "task", "grade")
    }
    return {
        **row,
        **groups,
        "pid": record.key,
        "choices": repr(choices),
        "answer_option": letter,
        "skills": repr(list(record.groups.get("skills", ()))),
        "res": record.extraction,
        "log": "Prefetch succeed",
    }


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
    rows = {"Overall": overall, **scores.groups.get("task", {}), **scores.groups.get("skills", {})}
    return [
        {"Task&Skill": name, "tot": value.total, "hit": value.correct, "acc": 100 * value.accuracy}
        for name, value in rows.items()
    ]


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
            "extraction": record.extraction,
            "prediction": record.prediction,
            "true_false": bool(record.is_right),
            "answer": _answer(record),
        }
        metrics = {"llm_as_judge_eval": result, "submission": result}
    return {
        "doc_id": number,
        "target": _answer(record),
        "input": record.prompt,
        "resps": [[record.response]],
        "filtered_resps": [record.response],
        "doc_hash": hashlib.sha256(f"{record.key}\n{record.prompt}".encode()).hexdigest(),
        **metrics,
    }


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
            found[f"{name},none"] = scale * mean
            found[f"{name}_stderr,none"] = scale * math.sqrt(mean * (1 - mean) / max(len(values) - 1, 1))
    return found


def _benchmark(records: Sequence[Record]) -> str:
    names = sorted({record.benchmark for record in records})
    if len(names) != 1:
        raise EvaluationError(f"an export needs the records of one benchmark; these are of {', '.join(names) or 'none'}")
    return names[0]


def _values(record: Record) -> list[tuple[str, str]]:
    return [(name, value) for name, values in record.groups.items() for value in values]


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
