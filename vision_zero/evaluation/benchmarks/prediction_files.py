"""Predictions as others write them, brought into the two layouts that are scored: MathVista's records by pid, ChartQA's lines.

Read are the official layouts; VLMEvalKit's tables (``index, question, answer, prediction, …`` as xlsx, tsv, csv or json);
lmms-eval's samples; InternVL's lists, in which ``answer`` is the prediction and ``annotation`` the label; and the records of our
own runs. What is none of these is refused, with what to rename.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from vision_zero.data.json_csv import rows_of_csv
from vision_zero.errors import EvaluationError, PairsError, one_line
from vision_zero.evaluation.benchmarks.json_files import Row, absent, lines_of, read_text, rows_of, text_of

_LMMS_RESULTS = ("submission", "llm_as_judge_eval", "gpt_eval_score")
_QUERY = re.compile(r"(?:\A|\n)Question:\s*(?P<asked>.*?)(?:\nChoices:|\nHint:|\nSolution:|\Z)", re.DOTALL)


def read_predictions(path: Path) -> list[Row]:
    """The rows of a ``.json``, ``.jsonl``, ``.tsv``, ``.csv`` or ``.xlsx`` file, as they are; the first four also as ``.gz``.

    Raises:
        EvaluationError: the file cannot be read, or is of another kind.
    """
    readers: dict[str, Callable[[Path], list[Row]]] = {
        ".json": lambda file: rows_of(read_text(file), str(file)),
        ".jsonl": lambda file: lines_of(read_text(file), str(file)),
        ".tsv": _separated,
        ".csv": _separated,
        ".xlsx": _sheet,
    }
    kind = unpacked_name(path).suffix.lower()
    if kind not in readers:
        raise EvaluationError(f"{path} is none of {', '.join(readers)}: save the predictions as one of these")
    return readers[kind](path)


def unpacked_name(path: Path) -> Path:
    """The path without ``.gz``."""
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def mathvista_rows(rows: Sequence[Row], name: str, response_label: str) -> list[Row]:
    """The rows with ``pid``, the reply under ``response_label``, and the problem's own fields.

    Raises:
        EvaluationError: a row is in no known layout; the message says which fields it lacks.
    """
    found = [_mathvista_row(row, f"{name}, prediction {number}", response_label) for number, row in enumerate(rows, start=1)]
    return [{**row, "choices": _literal(row["choices"])} if "choices" in row else row for row in found]


def chartqa_rows(rows: Sequence[Row], name: str) -> list[Row]:
    """The rows with ``prediction`` or ``response``, ``label``, and ``type``.

    Raises:
        EvaluationError: a row is in no known layout; the message says which fields it lacks.
    """
    return [_chartqa_row(row, name, f"{name}, prediction {number}") for number, row in enumerate(rows, start=1)]


def _mathvista_row(row: Row, name: str, label: str) -> Row:
    if "filtered_resps" in row or "resps" in row:
        found: Mapping[str, Any] = next((row[key] for key in _LMMS_RESULTS if isinstance(row.get(key), Mapping)), {})
        document = row["doc"] if isinstance(row.get("doc"), Mapping) else {}
        merged = {**document, **found}
        query = text_of(merged.get("query") or row.get("input"))
        own = {"question": _asked(query), **merged, "query": query, "extraction": found.get("extraction")}
        pid = text_of(found.get("question_id") or document.get("pid") or row.get("pid"))
        return {**own, "pid": pid, label: _response(row)}
    if {"benchmark", "key", "response"} <= set(row):
        return {**_own_record(row, "mathvista", name), label: row["response"]}
    if label not in row and {"index", "prediction"} <= set(row):
        query, answer = text_of(row.get("question")), text_of(row.get("answer"))
        decimals = len(answer.partition(".")[2]) if text_of(row.get("answer_type")) == "float" else None
        given = {key: value for key, value in row.items() if not (absent(value) or value == "")}
        own = {
            "precision": decimals,
            "query": query,
            "extraction": row.get("res"),
            "pid": text_of(row["index"]),
            **given,
        }
        choices = _literal(given.get("choices"))
        # pandas loses an answer such as "None"; its letter stays.
        option = ord(text_of(row.get("answer_option"))[:1] or "@") - ord("A")
        if not answer and isinstance(choices, list) and 0 <= option < len(choices):
            answer = text_of(choices[option])
        said = {"question": _asked(query), "answer": answer, label: text_of(row["prediction"])}
        return {**own, "choices": choices, **said}
    if label not in row and {"answer", "annotation"} <= set(row):
        raise EvaluationError(f"{name}: answer is the prediction here: rename it to {label}, and annotation to answer")
    if label not in row and "prediction" in row:
        pid = text_of(row.get("pid")) or "?"
        raise EvaluationError(
            f"{name}: problem {pid} has no {label}; if prediction is the reply, say --response-label prediction"
        )
    return row


def _chartqa_row(row: Row, file: str, name: str) -> Row:
    if "filtered_resps" in row or "resps" in row:
        document = row["doc"] if isinstance(row.get("doc"), Mapping) else {}
        splits = {"relaxed_human_split": "human", "relaxed_augmented_split": "augmented"}
        origin = document.get("type") or next((split for key, split in splits.items() if not absent(row.get(key))), None)
        own = {"question": document.get("question"), "label": row.get("target", document.get("answer")), "id": row.get("doc_id")}
        return {**_typed(own, origin, file, name), "prediction": _response(row)}
    if {"benchmark", "key", "response"} <= set(row):
        return {**_own_record(row, "chartqa", name), "prediction": row.get("prediction") or ""}
    if {"answer", "annotation"} <= set(row):
        own = {"question": row.get("question"), "label": row["annotation"], "prediction": row["answer"]}
        return _typed(own, None, file, name)
    if {"index", "prediction", "answer"} <= set(row):
        own = {"question": row.get("question"), "label": _literal(row["answer"]), "id": row["index"]}
        return {**_typed(own, row.get("split"), file, name), "prediction": row["prediction"]}
    if {"human_or_machine", "type"} & set(row) or not {"label", "answer"} & set(row) or not _origin_of(file):
        return row
    return {**row, "type": _origin_of(file)}


def _typed(row: Row, origin: Any, file: str, name: str) -> Row:
    """With who wrote the question, from the row or else from the file's name (``chartqa_test_human_….json``)."""
    stated = text_of(origin) or _origin_of(file)
    if not stated:
        raise EvaluationError(f"{name}: who wrote the question? Add type (human or augmented), or put it into the file's name")
    return {**row, "type": stated}


def _origin_of(file: str) -> str:
    return next((word for word in ("human", "augmented") if word in Path(file).name.lower()), "")


def _own_record(row: Row, benchmark: str, name: str) -> Row:
    """A record of one of our runs."""
    if row["benchmark"] != benchmark:
        raise EvaluationError(f"{name} is a record of {row['benchmark']}: score it with --benchmark {row['benchmark']}")
    details, groups, answers = row.get("details") or {}, row.get("groups") or {}, row.get("answers") or [None]
    try:
        own = {"pid": row["key"], "id": row["key"], "answer": answers[0], "label": answers, "query": row.get("prompt"), **details}
        firsts = {key: ", ".join(values) for key, values in groups.items() if key != "skills"}
        metadata = {**firsts, "skills": list(groups.get("skills", ())), **details.get("metadata", {})}
    except (AttributeError, KeyError, TypeError) as error:
        raise EvaluationError(f"{name} is not as the record of a run was written: {one_line(error)}") from error
    return {**own, **firsts, "type": firsts.get("origin"), "metadata": metadata, "extraction": row.get("extraction")}


def _response(row: Row) -> str:
    """What lmms-eval took the model to say: after its filters, else before them."""
    value = row.get("filtered_resps") or row.get("resps")
    while isinstance(value, list) and value:
        value = value[0]
    return text_of(value) if not isinstance(value, list) else ""


def _asked(query: str) -> str:
    """The question itself of a query with hints and choices."""
    match = _QUERY.search(query)
    return match["asked"].strip() if match else query


def _literal(value: Any) -> Any:
    """A list that a table holds as Python's text; anything else as it is."""
    if isinstance(value, str) and value.startswith("["):
        try:
            read = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return value
        return read if isinstance(read, list) else value
    return value


def _separated(path: Path) -> list[Row]:
    try:
        rows = rows_of_csv(read_text(path), str(unpacked_name(path)))
        for row in rows:
            if isinstance(row, PairsError):
                raise row
        return [row for row in rows if isinstance(row, dict)]
    except PairsError as error:
        raise EvaluationError(f"{one_line(error, 200)}: save the table anew") from error


def _sheet(path: Path) -> list[Row]:
    """The first sheet of an Excel file, whose first row holds the names. What looks like a formula is a reply that begins with
    "=", which was written as it is."""
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError as error:
        wanted = "pip install 'vision-zero[xlsx]', or save the sheet as .tsv"
        raise EvaluationError(f"{path}: Excel files need openpyxl: {wanted}") from error
    failures = (OSError, ValueError, KeyError, BadZipFile, openpyxl.utils.exceptions.InvalidFileException)
    try:
        rows = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
        filled = (row for row in rows if any(not absent(cell) and cell != "" for cell in row))
        names = [text_of(cell).strip() for cell in next(filled, ())]
        return [dict(zip(names, row, strict=False)) for row in filled]
    except failures as error:
        raise EvaluationError(f"{path} is not a readable Excel file: {one_line(error, 200)}") from error
