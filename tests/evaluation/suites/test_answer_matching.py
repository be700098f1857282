"""Replies to questions with few answers, checked by hand; and whatever else a model may write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_zero.evaluation.suites.answer_matching import count_in, word_in

SIDES, DEPTHS = ("left", "right"), ("front", "behind")
COLORS, SHAPES, MATERIALS = ("gray", "red", "blue"), ("cube", "sphere", "cylinder"), ("rubber", "metal")
YES_NO = ("yes", "no")
SIDE = "Is the small red cube left or right of the green metal cube?"
DEPTH = "Is the cube in front of or behind the sphere?"
COLOR = "What color is the large cube left of the red sphere?"
EXISTS = "Is there a red cube?"

WORDS = [
    ("left", SIDE, SIDES, "left"),
    ("Left.", SIDE, SIDES, "left"),
    ("The small red cube is right of the green metal cube.", SIDE, SIDES, "right"),
    ("It is to the left of the green cube.", SIDE, SIDES, "left"),
    ("left or right", SIDE, SIDES, None),
    ("Is it left or right? It is right.", SIDE, SIDES, "right"),
    ("B", SIDE, SIDES, None),  # no letters were offered
    ("in front of", DEPTH, DEPTHS, "front"),
    ("The cube is in front of the sphere.", DEPTH, DEPTHS, "front"),
    ("The cube stands behind the ball.", DEPTH, DEPTHS, "behind"),
    (r"\boxed{blue}", COLOR, COLORS, "blue"),
    (r"small red metal cube, large blue rubber sphere. \boxed{red}", COLOR, COLORS, "red"),
    ("The color of the large cube left of the red sphere is red.", COLOR, COLORS, "red"),
    ("The cube left of the red sphere is blue.", COLOR, COLORS, "blue"),
    ("It's grey.", COLOR, COLORS, "gray"),
    ("<think>Maybe red.</think>Blue", COLOR, COLORS, "blue"),
    ("Orange", COLOR, COLORS, None),
    ("I cannot tell.", COLOR, COLORS, None),
    ("", COLOR, COLORS, None),
    ("a ball", "What shape is the large thing?", SHAPES, "sphere"),
    ("Metallic", "What material is the cube?", MATERIALS, "metal"),
    ("Yes, there is.", EXISTS, YES_NO, "yes"),
    ("There is no cube.", EXISTS, YES_NO, "no"),
    ("There is a red cube.", EXISTS, YES_NO, "yes"),
    ("No", EXISTS, YES_NO, "no"),
    ("large red metal cube, small blue rubber sphere", EXISTS, YES_NO, None),
    ("No idea.", EXISTS, YES_NO, None),
    ("I do not know.", EXISTS, YES_NO, None),
    ("I'm not sure", EXISTS, YES_NO, None),
    ("They have the same color.", "Do the cube and the sphere have the same color?", YES_NO, "yes"),
    ("They have different colors.", "Do the cube and the sphere have the same color?", YES_NO, "no"),
    ("There are fewer cubes.", "Are there more cubes than spheres?", YES_NO, "no"),
]
HOW_MANY = "How many yellow cubes?"
COUNTS = [
    ("two", "2"),
    ("2", "2"),
    ("2.0", "2"),
    ("no", "0"),
    ("none", "0"),
    ("zero", "0"),
    ("No yellow cubes.", "0"),
    ("There are no cubes.", "0"),
    ("three of them", "3"),
    ("There are two yellow cubes.", "2"),
    ("I see 2 cubes and a sphere, so 2.", "2"),
    ("The answer is 4.", "4"),
    (r"one yellow cube, two red spheres. \boxed{one}", "1"),
    (r"one yellow cube, two red spheres. \boxed{no}", "0"),
    ("many", None),
    ("No idea.", None),
    ("-1", None),
    ("", None),
]


@pytest.mark.parametrize(("reply", "question", "options", "answer"), WORDS)
def test_words_are_read_as_a_person_would(reply: str, question: str, options: tuple[str, ...], answer: str | None) -> None:
    assert word_in(reply, question, options) == answer


@pytest.mark.parametrize(("reply", "answer"), COUNTS)
def test_counts_are_read_as_a_person_would(reply: str, answer: str | None) -> None:
    assert count_in(reply, HOW_MANY) == answer


PIECES = st.sampled_from(
    ["left", "right", " or ", "yes", "no", "two", "3", "\\boxed{", "}", "The answer is ", ". ", "(A)", "ball", "\x00"]
)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(max_size=150), st.lists(PIECES, max_size=12).map("".join)))
def test_any_text_is_read_and_what_was_read_reads_the_same(reply: str) -> None:
    for question, options in ((SIDE, SIDES), (EXISTS, YES_NO)):
        found = word_in(reply, question, options)
        assert found is None or word_in(found, question, options) == found
    number = count_in(reply, HOW_MANY)
    assert number is None or count_in(number, HOW_MANY) == number
