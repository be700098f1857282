"""MathVista (Lu et al., ICLR 2024): mathematics in images, 1,000 problems in ``testmini`` and 5,141 in ``test``.

The answers of ``test`` are secret: its replies get an extraction and a prediction for submission, and no verdict. Differs from
the released evaluation in how answers are extracted: by :mod:`vision_zero.evaluation.benchmarks.extraction`, not by GPT-4. An
extracted answer is normalised and then compared as text. Two things differ from the released script: a precision that came
through a table as ``1.0`` works, and texts of more than ``LONGEST`` characters are cut before their edit distance is taken,
which bounds the time that one reply can cost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final, get_args

from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.datasets import BenchmarkTable, TableSuite
from vision_zero.evaluation.benchmarks.extraction.answer import AnswerType, extract
from vision_zero.evaluation.benchmarks.extraction.reply import declines
from vision_zero.evaluation.benchmarks.json_files import Row, absent, text_of
from vision_zero.evaluation.suite import Extractor, Verdict

NAME = "mathvista"
QUESTION_TYPES = ("multi_choice", "free_form")
_HINTS = {
    "text": "answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.",
    "integer": "answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the end.",
    "list": "answer the question requiring a Python list as an answer and provide the final list, e.g., [1, 2, 3], "
    "[1.2, 1.3, 1.4], at the end.",
}
_FLOAT_HINTS = {1: ("one decimal place", "1.2, 1.3, 1.4"), 2: ("two decimal places", "1.23, 1.34, 1.45")}
LONGEST = 2_000
"""Characters of an extraction that are compared with the choices."""
GROUPS = ("question_type", "answer_type", "language", "source", "category", "task", "context", "grade", "skills")
"""The breakdowns of the official score file, in its order."""
_LETTER = re.compile(r"\(([a-zA-Z])\)")


@dataclass(frozen=True, slots=True)
class Problem:
    """One annotated problem.

    Attributes:
        answer: None in the ``test`` split.
        precision: decimals of a float answer.
        metadata: source, task, grade, skills and the other breakdowns.
    """

    pid: str
    question: str
    question_type: str
    answer_type: AnswerType
    choices: tuple[str, ...]
    answer: str | None
    precision: int | None
    unit: str
    metadata: Mapping[str, Any]
    query: str = ""

    @classmethod
    def of(cls, row: Row, name: str) -> Problem:
        """The problem of a row of the data set or of a result file.

        Raises:
            EvaluationError: a field is missing or is none of the known values; the message names the pid.
        """
        pid = text_of(row.get("pid"))
        for field in ("question", "question_type", "answer_type"):
            if absent(row.get(field)):
                raise EvaluationError(f"{name}: problem {pid or '?'} has no {field}; give the annotations that have it")
        question_type, answer_type = row["question_type"], row["answer_type"]
        if not pid or question_type not in QUESTION_TYPES or answer_type not in get_args(AnswerType):
            raise EvaluationError(f"{name}: problem {pid or '?'} is of unknown type ({question_type!r}, {answer_type!r})")
        choices = [] if absent(row.get("choices")) else row["choices"]
        if not isinstance(choices, Sequence) or isinstance(choices, str) or (question_type == "multi_choice" and not choices):
            raise EvaluationError(f"{name}: problem {pid} needs a list of choices")
        try:
            precision = None if absent(row.get("precision")) else int(row["precision"])
        except (TypeError, ValueError, OverflowError) as error:
            raise EvaluationError(f"{name}: problem {pid} has {row['precision']!r} for a precision") from error
        metadata = row.get("metadata")
        return cls(
            pid=pid,
            question=text_of(row["question"]),
            question_type=question_type,
            answer_type=answer_type,
            choices=tuple(text_of(choice) for choice in choices) if question_type == "multi_choice" else (),
            answer=text_of(row.get("answer")) or None,
            precision=precision,
            unit=text_of(row.get("unit")),
            metadata=metadata if isinstance(metadata, Mapping) else {},
            query=text_of(row.get("query")),
        )


@final
class MathVista(TableSuite):
    """The problems of one split.

    Args:
        table: rows with ``pid, question, image, decoded_image, choices, unit, precision, answer, question_type, answer_type,
            metadata, query``; of the two images one is enough.

    Raises:
        EvaluationError: columns are missing, or a pid occurs twice.
    """

    name = NAME
    version = "1"
    hub, split = "AI4Math/MathVista", "testmini"

    def __init__(self, table: BenchmarkTable) -> None:
        table.need("pid", "question", "question_type", "answer_type", "choices")
        self._image = "decoded_image" if "decoded_image" in table.columns else "image"
        table.need(self._image)
        super().__init__(table)
        self._pids = [text_of(row["pid"]) for row in table.rows]
        seen: set[str] = set()
        for pid in self._pids:
            if pid in seen:
                raise EvaluationError(f"{table.name}: problem {pid} occurs twice; keep one row of it")
            seen.add(pid)

    def key(self, number: int) -> str:
        return self._pids[number]

    def problem(self, number: int) -> Problem:
        """The annotated problem of that number."""
        return Problem.of(self._table.rows[number], self._table.name)

    def prompt(self, number: int) -> str:
        problem = self.problem(number)
        return problem.query or query_of(problem)

    def verdict(self, number: int, reply: str, extractor: Extractor | None = None) -> Verdict:
        return mathvista_verdict(self.problem(number), reply, extractor)

    def _cell(self, row: Row) -> Any:
        return row.get("image") if absent(row[self._image]) else row[self._image]

    def _called(self, number: int) -> str:
        return f"problem {self.key(number)}"


open_suite = MathVista.load


def mathvista_verdict(problem: Problem, reply: str, extractor: Extractor | None = None, extraction: str | None = None) -> Verdict:
    """Extract and score; an ``extraction`` that is given is scored as it is."""
    if extraction is None:
        extraction = extract(reply, problem.question, problem.answer_type, problem.choices)
        if extractor is not None:
            extraction = extractor.extract(reply, problem.question, problem.answer_type, problem.choices, extraction)
    prediction = normalised(extraction, problem.choices, problem.question_type, problem.answer_type, problem.precision)
    return Verdict(
        extraction=extraction,
        prediction=prediction,
        answers=() if problem.answer is None else (problem.answer,),
        is_right=None if problem.answer is None else is_right(prediction, problem.answer),
        is_answered=extraction in problem.choices or not (extraction == "" or declines(extraction)),
        groups=_groups(problem),
        details={
            "question": problem.question,
            "choices": list(problem.choices),
            "precision": problem.precision,
            "metadata": {name: value for name, value in problem.metadata.items() if not absent(value)},
        },
    )


def query_of(problem: Problem) -> str:
    """The official prompt as in the data set's ``query``: hint, question with its unit, choices by letter."""
    question = f"Question: {problem.question}" + (f" (Unit: {problem.unit})" if problem.unit else "")
    listed = [f"({chr(ord('A') + place)}) {choice}" for place, choice in enumerate(problem.choices)]
    return "\n".join([f"Hint: Please {_hint(problem)}", question, *(["Choices:", *listed] if listed else [])])


def _hint(problem: Problem) -> str:
    if problem.question_type == "multi_choice":
        return _HINTS["text"]
    if problem.answer_type == "float":
        places, examples = _FLOAT_HINTS.get(problem.precision or 1, _FLOAT_HINTS[2])
        return (
            f"answer the question requiring a floating-point number with {places} and provide the final value, e.g., {examples}, "
            "at the end."
        )
    return _HINTS.get(problem.answer_type, _HINTS["integer"])


def _groups(problem: Problem) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in GROUPS:
        value = getattr(problem, name, None) or problem.metadata.get(name)
        if isinstance(value, Sequence) and not isinstance(value, str):
            found[name] = tuple(text_of(part) for part in value)
        elif text_of(value):
            found[name] = (text_of(value),)
    return found


def normalised(extraction: Any, choices: Sequence[str], question_type: str, answer_type: str, precision: Any) -> str | None:
    """An extraction in the form of the annotated answers, by the published rule.

    Multiple choice: a letter, bare or as in "(A) text", becomes its choice; anything else the choice with the smallest edit
    distance. Integers lose their decimals, floats are rounded to the precision, lists stay text. None if that is impossible.
    """
    if question_type == "multi_choice" and choices:
        text = ("" if absent(extraction) else str(extraction)).strip()
        letters = _LETTER.findall(text)
        text = letters[0].upper() if letters else text
        place = ord(text) - ord("A") if len(text) == 1 else -1
        return choices[place] if 0 <= place < len(choices) else nearest(text, choices)
    if answer_type == "list":
        return None if absent(extraction) else str(extraction)
    try:
        value = float(extraction)
        if answer_type == "float":
            return str(round(value, 0 if absent(precision) else int(precision)))
        return str(int(value)) if math.isfinite(value) else None
    except (TypeError, ValueError):
        return None


def is_right(prediction: str | None, answer: str) -> bool:
    """Is a normalised extraction the annotated answer, character by character?"""
    return prediction is not None and prediction == answer


def nearest(text: str, choices: Sequence[str]) -> str:
    """The choice with the smallest edit distance (Levenshtein, 1966); of several the first."""
    return min(choices, key=lambda choice: edit_distance(text[:LONGEST], choice[:LONGEST]))


def edit_distance(one: str, other: str) -> int:
    """Insertions, deletions and replacements of single characters that turn one text into the other."""
    row = list(range(len(other) + 1))
    for number, character in enumerate(one, start=1):
        diagonal, row[0] = row[0], number
        for place, wanted in enumerate(other, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (character != wanted))
    return row[-1]
