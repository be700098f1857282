"""Forms of stating an answer: every row of the table by its examples, and more than 900 replies of one answer each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from vision_zero.evaluation.benchmarks.chartqa import final_answer
from vision_zero.evaluation.benchmarks.extraction.answer import AnswerType, extract
from vision_zero.evaluation.benchmarks.extraction.answer_patterns import FORMS, Form
from vision_zero.evaluation.benchmarks.extraction.reply import Reply
from vision_zero.evaluation.benchmarks.mathvista import normalised

COLOURS, VALUES = ("red", "green", "blue", "yellow"), ("38", "40", "45", "50")
WHICH, WHAT = "Which colour is the largest object?", "What is the value of x?"
PRICE, LEFT, YEAR = "How much does she pay for both coats? (Unit: $)", "How many objects are left?", "Which year?"
PEAK = "Between which two years was the peak?"


def sections() -> Iterator[tuple[str, str, str, list[str]]]:
    """Kind, answer, name and replies of each section of ``forms.txt``."""
    text = (Path(__file__).parent / "forms.txt").read_text(encoding="utf-8")
    for section in text.split("\n== ")[1:]:
        head, _, body = section.partition("\n")
        kind, answer, name = head.split(" | ")
        yield kind, answer, name, [line.replace("⏎", "\n") for line in body.split("\n") if line]


def is_read(kind: str, answer: str, reply: str) -> bool:
    if kind == "words":
        return final_answer(reply) == answer
    if kind == "letter":
        others = [] if "green" in reply.lower() else [extract(reply, WHAT, "text", VALUES) in ("B", "40")]
        return all([extract(reply, WHICH, "text", COLOURS) in ("B", "green"), *others])
    if kind == "refusal":
        choices = [extract(reply, question, "text", of) for question, of in ((WHICH, COLOURS), ("Is it larger?", ("Yes", "No")))]
        return extract(reply, PRICE, "integer") == "N/A" and all(said == "N/A" for said in choices)
    if kind == "list":
        return extract(reply, PEAK, "list") == answer
    question = PRICE if kind == "integer" else YEAR if answer == "2010" else LEFT
    answer_type: AnswerType = "integer" if kind == "integer" else "float"
    right = normalised(answer, (), "free_form", answer_type, 2)
    return normalised(extract(reply, question, answer_type), (), "free_form", answer_type, 2) == right


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "answer", "name", "replies"), list(sections()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_one_answer_is_read_whatever_its_form(kind: str, answer: str, name: str, replies: list[str]) -> None:
    assert [reply for reply in replies if not is_read(kind, answer, reply)] == []


def test_there_are_enough_forms() -> None:
    assert sum(len(replies) for *_, replies in sections()) > 900


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_each_row_of_the_table_finds_what_its_examples_say(form: Form) -> None:
    for example in form.examples:
        reply, _, said = example.rpartition(" => ")
        assert next(iter(form.find(Reply.of(reply))), None) == said, example


def calls(reply: str) -> int:
    """Calls of functions, Python's and C's, that reading a reply in every way takes."""
    count = 0

    def counted(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        extract(reply, LEFT, "integer")
        extract(reply, WHICH, "text", COLOURS)
        final_answer(reply)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["x = 5, ", "B is correct. ", "one hundred and ", "green and ", "$40.00 + ", "the answer is ", "i.e. 5; ", "1 234 ", "A: "],
)
def test_work_grows_with_the_length_alone(piece: str) -> None:
    short, long = calls(piece * (1_500 // len(piece))), calls(piece * (6_000 // len(piece)))
    assert long < 4.6 * short
