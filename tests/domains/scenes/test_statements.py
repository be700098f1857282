import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.make import scene_pairs
from vision_zero.domains.scenes.questions import FAMILIES, ask
from vision_zero.domains.scenes.scene import COLORS, MATERIALS, SHAPES, SIZES
from vision_zero.domains.scenes.statements import NUMBERS, SIDES, Both, Count, Query, Relation, Thing, parse

queries = st.builds(
    Query,
    size=st.none() | st.sampled_from(SIZES),
    color=st.none() | st.sampled_from(COLORS),
    material=st.none() | st.sampled_from(MATERIALS),
    shape=st.none() | st.sampled_from(SHAPES),
)
singles = st.one_of(
    st.builds(Thing, queries),
    st.builds(Count, st.integers(0, 10), queries),
    st.builds(Relation, queries, st.sampled_from(SIDES), queries),
)

FACTS = {
    "objects": [
        {"size": "large", "color": "red", "material": "metal", "shape": "cube"},
        {"size": "small", "color": "red", "material": "rubber", "shape": "sphere"},
        {"size": "small", "color": "blue", "material": "rubber", "shape": "sphere"},
    ],
    # Object 0 is left of 1, which is left of 2; relationships[side][i] lists who stands on that side of i.
    "relationships": {"left": [[], [0], [0, 1]], "right": [[1, 2], [2], []], "front": [[], [], []], "behind": [[], [], []]},
}


@pytest.mark.slow
@given(st.one_of(singles, st.builds(lambda parts: Both(tuple(parts)), st.lists(singles, min_size=2, max_size=3))))
def test_what_is_written_is_read_back(statement):
    assert parse(statement.text()) == statement


@pytest.mark.slow
@given(st.text(max_size=80))
def test_any_text_is_read_or_not(text):
    statement = parse(text)
    assert statement is None or parse(statement.text()) == statement


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a red cube", True),
        ("A large red metal cube.", True),
        ("a blue cube", False),
        ("a thing", True),
        ("two red things", True),
        ("one sphere", False),
        ("two small rubber spheres", True),
        ("no cylinders", True),
        ("a red cube left of a blue sphere", True),
        ("a blue sphere left of a red cube", False),
        ("a red thing left of a red thing", True),
        ("a cube behind a sphere", False),
        ("a red cube and two spheres", True),
        ("a red cube and a cylinder", False),
    ],
)
def test_truth(text, holds):
    assert parse(text).holds(FACTS) is holds


def test_scenes_of_one_object_or_of_more_than_ten_alike_are_asked_what_has_an_answer():
    single, many = {**FACTS, "objects": FACTS["objects"][:1]}, {**FACTS, "objects": FACTS["objects"][:1] * 11}
    for number in range(20):
        rng = np.random.default_rng(number)
        assert ask("position", single, rng) is None
        asked = ask("count", many, rng)
        assert asked is None or asked.answer == "no"


@pytest.mark.parametrize("text", ["", "red cube", "three cube", "one cubes", "a red red cube", "a cube and", "I am the spy"])
def test_what_is_no_statement(text):
    assert parse(text) is None


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_questions_have_the_answer_that_the_scene_graph_gives(family):
    for number, pair in enumerate(scene_pairs(6)):
        facts = pair.original_facts
        question = ask(family, facts, np.random.default_rng(number))
        if question is None:
            continue
        assert question.text.endswith("?")
        if family == "exist":
            statement = parse(question.text.removeprefix("Is there ").rstrip("?"))
            assert statement.holds(facts) == (question.answer == "yes")
        elif family == "count":
            noun = question.text.removeprefix("How many ").rstrip("?")
            number_word = question.answer
            if number_word == "one":
                noun = noun.removesuffix("s")
            assert parse(f"{number_word} {noun}").holds(facts)
            assert number_word in NUMBERS
        elif family != "position":
            described = parse("a " + question.text.split(" is the ")[1].rstrip("?"))
            matches = described.query.matches(facts)
            assert len(matches) == 1
            assert facts["objects"][matches[0]][family] == question.answer
