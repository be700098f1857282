"""Examples about compact charts: list their values, answer questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vision_zero.domains.charts.questions import CHART_FAMILIES, KINDS, ask_chart, values_of
from vision_zero.domains.domain import Question
from vision_zero.randomness import one_of
from vision_zero.warm_start.examples.example import Example, boxed, direct_reply, form, reasoned_reply

ChartFacts = Mapping[str, Any]


def values_example(facts: ChartFacts, rng: np.random.Generator) -> Example:
    """The kind of chart and every value in the order of drawing: "pie: red 25, blue 75"."""
    return Example("chart list", "List all values.", _values(facts))


def chart_question_example(facts: ChartFacts, rng: np.random.Generator, *, reasoned: bool) -> Example:
    """A question of any family; a reasoned answer lists all values and those that the answer depends on."""
    question = ask_chart(one_of(CHART_FAMILIES, rng), facts, rng)
    answer = boxed(question.answer)
    answer = reasoned_reply(_values(facts), [_evidence(question, facts)], answer) if reasoned else direct_reply(answer)
    return Example(f"chart question {form(reasoned)}", question.text, answer)


def look_up_example(facts: ChartFacts, rng: np.random.Generator) -> Example:
    """All values, in the order of the colours in the question: trains looking up every value."""
    values = values_of(facts)
    names = [str(name) for name in rng.permutation(list(values))]
    found = ", ".join(f"{name} {values[name]}" for name in names)
    return Example("chart look-up", f"What are the values of {', '.join(names)}?", f"{_values(facts)}. {found}.")


def _evidence(question: Question, facts: ChartFacts) -> str:
    """The values that the question is about, "red 25, blue 75"; for an extreme, that of the answer; else the kind of chart."""
    values = values_of(facts)
    if question.family in ("highest", "lowest"):
        named = [question.answer]
    else:
        named = [color for color in question.text.rstrip("?.").split() if color in values]
    return ", ".join(f"{color} {values[color]}" for color in named) or KINDS[facts["type"]]


def _values(facts: ChartFacts) -> str:
    values = ", ".join(f"{color} {value}" for color, value in values_of(facts).items())
    return f"{KINDS[facts['type']]}: {values}"
