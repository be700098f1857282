"""Whatever a model writes: extraction does not raise, does not change its own results, and takes linear time."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vision_zero.evaluation.benchmarks.chartqa import final_answer
from vision_zero.evaluation.benchmarks.extraction.answer import AnswerType, extract
from vision_zero.evaluation.benchmarks.mathvista import edit_distance, normalised

CHOICES = (
    ("135°", "140°"),
    ("Yes", "No"),
    ("half", "quarter past", "quarter"),
    ("6", r"6 \sqrt { 2 }"),
    tuple("ABC"),
    ("(a)", "(b)"),
)
PIECES = st.sampled_from(
    ["The answer is ", "answer: ", "(A)", "B", "C.", "option D", "Yes", " no ", "135°", "140 degrees", " quarter", "\\boxed{",
     "}", "$", "12", "-3.5", "1,000", "1/2", "\\frac{1}{2}", "√2", "π", "twenty-one", " = ", ". ", "\n", ", ", "[", "]",
     "Therefore ", "cannot be determined", "<think>", "</think>", "<answer>", "</answer>", "Question:", "**", "is ",
     "there are ", "between ", " and ", "答案是", "\x00"]
)  # fmt: skip
REPLIES = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=14).map("".join))
TYPES: list[AnswerType] = ["integer", "float", "list"]


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(REPLIES, st.sampled_from(CHOICES), st.text(max_size=40))
@example("IS$1/2", ("135°", "140°"), "½")  # a value that is no choice and stands in the question
def test_choices_from_any_text(reply: str, choices: tuple[str, ...], question: str) -> None:
    found = extract(reply, question, "text", choices)
    assert extract(found, question, "text", choices) == found
    assert normalised(found, choices, "multi_choice", "text", None) in choices


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(REPLIES, st.sampled_from(TYPES), st.text(max_size=40))
@example("0:.0", "list", "")  # a number without a digit before its point
def test_values_from_any_text(reply: str, answer_type: AnswerType, question: str) -> None:
    found = extract(reply, question, answer_type)
    assert extract(found, question, answer_type) == found
    normalised(found, (), "free_form", answer_type, 2)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_number_is_found_as_it_was_written(value: float) -> None:
    assert float(extract(f"The answer is {value!r}.", "How much?", "float")) == value


@settings(max_examples=150, deadline=None)
@given(REPLIES)
@example("ANSWER IS/\x1f.")  # white space that is no space
@example("答案ANSWER:0")
@example("<ANSWER>ANSWER IS: 5</ANSWER>")
@example(r"\boxed{<ANSWER>0<ANSWER>}")
def test_a_final_answer_comes_from_any_text(reply: str) -> None:
    found = final_answer(reply)
    assert final_answer(found) == found


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_edit_distance_is_a_metric(one: str, two: str, three: str) -> None:
    assert edit_distance(one, two) == edit_distance(two, one)
    assert (edit_distance(one, two) == 0) == (one == two)
    assert edit_distance(one, three) <= edit_distance(one, two) + edit_distance(two, three)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "piece",
    ["\\boxed{", "{", "<answer>", "</think>", "**", "(A) ", "1,", "9", "twenty-", "one hundred and ", "answer is ", "[", "a, ",
     " is ", "\\frac{", "√", "\n", "\n ", ". ", "Question:", "$-", "=", "therefore ", "not ", "(", "\t- "],
)  # fmt: skip
def test_time_grows_with_the_length_alone(piece: str) -> None:
    """A second or less; with the square of the length it would be many minutes, which is all that the limit is for."""
    reply = piece * (100_000 // len(piece))
    for answer_type in TYPES:
        extract(reply, "How many are left of the 12?", answer_type)
    extract(reply, "Is it?", "text", ("Yes", "No"))
    extract(reply, "Which?", "text", ("6 cm", "a quarter past", "decrease"))
    final_answer(reply)
