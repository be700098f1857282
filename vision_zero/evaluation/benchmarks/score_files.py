"""Scoring predictions that lie in files: MathVista's official output, ChartQA's JSON lines, and what others write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks import chartqa, mathvista
from vision_zero.evaluation.benchmarks.chartqa import chartqa_verdict, final_answer, labels_of, origin_of
from vision_zero.evaluation.benchmarks.json_files import (
    Row,
    absent,
    json_lines,
    json_text,
    read_text,
    reply_of,
    rows_of,
    text_of,
    write_atomically,
)
from vision_zero.evaluation.benchmarks.mathvista import GROUPS, Problem, mathvista_verdict
from vision_zero.evaluation.benchmarks.prediction_files import chartqa_rows, mathvista_rows, read_predictions, unpacked_name
from vision_zero.evaluation.benchmarks.records import write_jsonl, write_parquet
from vision_zero.evaluation.suite import Accuracies, Record, scores_of


@dataclass(frozen=True)
class Scored:
    """Scored predictions.

    Attributes:
        records: one for each prediction.
        rows: the predictions' own fields with ``extraction``, ``prediction`` and ``true_false``, in order.
        agreement: of our verdicts with those that the file already had, and their number; None where it had none.
        missing: annotated items without a prediction.
    """

    records: Sequence[Record]
    rows: Sequence[Row]
    agreement: tuple[int, int] | None = None
    missing: int = 0

    @property
    def scores(self) -> Accuracies:
        return scores_of(self.records[0].benchmark, self.records)


def score_mathvista(
    predictions: Path,
    annotations: Path | None,
    *,
    response_label: str = "response",
    keep_extractions: bool = False,
) -> Scored:
    """Extract and score the official output format: ``{pid: {response, question_type, answer_type, choices, precision, ...}}``.

    Layouts of others are read, too; see :mod:`vision_zero.evaluation.benchmarks.prediction_files`.
    Fields that a prediction lacks are taken from the annotations; its own come first, as in the official script.

    Args:
        keep_extractions: score the ``extraction`` that a prediction has; only where there is none is its response read.

    Raises:
        EvaluationError: a file cannot be read, a pid occurs twice, or a field is in neither file.
    """
    annotated = {} if annotations is None else _by_pid(rows_of(read_text(annotations), str(annotations)), str(annotations))
    given = _by_pid(mathvista_rows(read_predictions(predictions), str(predictions), response_label), str(predictions))
    if not given:
        raise EvaluationError(f"{predictions} holds no predictions")
    records, rows, agreed, judged = [], [], 0, 0
    for pid, row in given.items():
        if response_label not in row:
            raise EvaluationError(
                f"{predictions}: problem {pid} has no {response_label}; say with --response-label which field holds it"
            )
        own = {key: value for key, value in row.items() if not absent(value)}
        _same_question(own, annotated.get(pid, {}), f"{predictions}: problem {pid}")
        problem = Problem.of({**annotated.get(pid, {}), **own}, str(predictions))
        if problem.answer is None and annotations is None:
            raise EvaluationError(f"{predictions}: problem {pid} has no answer; give the file that has it with --annotations")
        reply = reply_of(row[response_label], f"{predictions}: {response_label} of problem {pid}")
        kept = None if not keep_extractions or absent(row.get("extraction")) else text_of(row["extraction"])
        verdict = mathvista_verdict(problem, reply, extraction=kept)
        if isinstance(row.get("true_false"), bool) and verdict.is_right is not None:
            judged, agreed = judged + 1, agreed + (row["true_false"] == verdict.is_right)
        records.append(Record.of(verdict, mathvista.NAME, predictions.name, pid, problem.query, reply))
        added = {"extraction": verdict.extraction, "prediction": verdict.prediction, "true_false": bool(verdict.is_right)}
        rows.append({**row, "answer": problem.answer, **added})
    missing = len(annotated.keys() - given.keys())
    return Scored(records, rows, (agreed, judged) if judged else None, missing)


def score_chartqa(predictions: Path) -> Scored:
    """Score JSON lines ``{prediction, label or answer, human_or_machine or type}``; ``question`` and ``id`` may be there, too.

    A ``prediction`` is scored as it is, as published; where a line has a ``response`` instead, its final answer is. Layouts of
    others are read, too; see :mod:`vision_zero.evaluation.benchmarks.prediction_files`.

    Raises:
        EvaluationError: the file cannot be read, or a line lacks a field; the message gives its number.
    """
    records: list[Record] = []
    rows = []
    keys: set[str] = set()
    for number, row in enumerate(chartqa_rows(read_predictions(predictions), str(predictions)), start=1):
        name = f"{predictions}, prediction {number}"
        label, origin = _field(row, ("label", "answer"), name), _field(row, ("human_or_machine", "type"), name)
        field = _field(row, ("prediction", "response"), name)
        response = reply_of(row[field], f"{name}: its {field}")
        said = response if "prediction" in row else final_answer(response)
        labels = labels_of(row[label])
        if not labels and row[label]:
            raise EvaluationError(f"{name} has an object for a {label}: give its text, or a list of texts")
        if not any(labels):
            raise EvaluationError(f"{name} has an empty {label}")
        question = text_of(row.get("question", row.get("query")))
        verdict = chartqa_verdict(said, labels, origin_of(row[origin], name), question)
        key = text_of(row.get("id")) or str(number - 1)
        if key in keys:
            raise EvaluationError(f"{name}: the id {key} occurs twice; keep one line of it")
        keys.add(key)
        records.append(Record.of(verdict, chartqa.NAME, predictions.name, key, question, response))
        rows.append({**row, "extraction": verdict.extraction, "true_false": bool(verdict.is_right), **verdict.also})
    if not records:
        raise EvaluationError(f"{predictions} holds no predictions")
    return Scored(records, rows)


def write_scored(scored: Scored, predictions: Path, folder: Path) -> list[Path]:
    """Write the predictions with their verdicts in their own format, the scores, and the records; returns the files.

    Raises:
        EvaluationError: the folder would overwrite the predictions, or cannot be written to.
    """
    unpacked = unpacked_name(predictions)
    lines = unpacked.suffix != ".json"
    own = [folder / name for name in ("scores.json", "records.jsonl", "records.parquet")]
    result = folder / unpacked.with_suffix(".jsonl" if lines else ".json").name
    result = result.with_name(f"predictions_{result.name}") if result in own else result
    if predictions.resolve() in [file.resolve() for file in (result, *own)]:
        raise EvaluationError(f"{folder} holds the predictions themselves: give another folder for the results")
    by_key = {record.key: row for record, row in zip(scored.records, scored.rows, strict=True)}
    write_atomically(result, json_lines(scored.rows) if lines else json_text(by_key))
    write_atomically(own[0], json_text(official_scores(scored)))
    write_jsonl(scored.records, own[1])
    write_parquet(scored.records, own[2])
    return [result, *own]


def official_scores(scored: Scored) -> dict[str, Any]:
    """The scores in the form of MathVista's score files: ``average``, then every breakdown by value; our additions come last."""
    scores = scored.scores
    if scores.overall is None:
        return {"average": None, "missing": scored.missing}
    breakdowns = {name: {value: part.model_dump() for value, part in values.items()} for name, values in scores.groups.items()}
    ordered = {name: breakdowns[name] for name in (*GROUPS, *breakdowns) if name in breakdowns}
    agreement = None if scored.agreement is None else {"agreed": scored.agreement[0], "verdicts": scored.agreement[1]}
    return {
        "average": scores.overall.model_dump(),
        **ordered,
        **{rule: part.model_dump() for rule, part in scores.also.items()},
        "unanswered": {"total": scores.unanswered, "right by the nearest choice": scores.unanswered_right},
        "missing": scored.missing,
        "agreement with the verdicts in the file": agreement,
    }


def _by_pid(rows: Sequence[Row], name: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for number, row in enumerate(rows, start=1):
        pid = text_of(row.get("pid"))
        if not pid:
            raise EvaluationError(f"{name}, record {number} has no pid; it has {', '.join(map(str, row)) or 'nothing'}")
        if pid in found:
            raise EvaluationError(f"{name}: problem {pid} occurs twice; keep one record of it")
        found[pid] = row
    return found


def _same_question(own: Row, annotated: Row, name: str) -> None:
    """Raises EvaluationError where the prediction answers another question than the annotations have under its number."""
    asked, known = (" ".join(text_of(row.get("question")).split()) for row in (own, annotated))
    if asked and known and known not in asked and asked not in known:
        raise EvaluationError(f"{name} asks {asked[:60]!r}, in the annotations {known[:60]!r}: give the pid of each problem")


def _field(row: Mapping[str, Any], names: Sequence[str], name: str) -> str:
    found = next((field for field in names if field in row), None)
    if found is None:
        meant = {field: _KNOWN_AS.get(field.strip().lower(), field.strip().lower()) for field in row}
        hint = next((f": rename {field} to {known}" for field, known in meant.items() if known in names), "")
        raise EvaluationError(f"{name} has no {' or '.join(names)}; it has {', '.join(row) or 'nothing'}{hint}")
    return found


_KNOWN_AS = {
    **dict.fromkeys(
        ("target", "targets", "gt", "gts", "gt_answer", "ground_truth", "groundtruth", "annotation", "labels"), "label"
    ),
    **dict.fromkeys(("answers", "reference", "gold", "label"), "label"),
    **dict.fromkeys(("pred", "preds", "predictions", "predicted_answer", "model_answer", "model_output"), "prediction"),
    **dict.fromkeys(("output", "text", "generated_text", "completion", "reply", "prediction"), "prediction"),
    **dict.fromkeys(("split", "subset", "source", "type"), "type"),
}
"""What others call the fields of ChartQA's predictions."""
