"""Lessons about compact charts: list their values, answer questions about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vision_zero.pairs.charts.questions import CHART_FAMILIES, KINDS, ask_chart, values_of
from vision_zero.pairs.scenes.questions import pick
from vision_zero.policy.nano.lessons.lesson import Lesson

ChartFacts = Mapping[str, Any]


def teach_values(facts: ChartFacts, rng: np.random.Generator) -> Lesson:
    """The kind of chart and every value in the order of drawing: "pie: red 25, blue 75"."""
    return Lesson("chart list", "List all values.", _values(facts))


def teach_chart_question(facts: ChartFacts, rng: np.random.Generator) -> Lesson:
    """A question of any family, answered after a look."""
    question = ask_chart(pick(CHART_FAMILIES, rng), facts, rng)
    return Lesson(f"chart {question.family}", question.text, f"{_values(facts)}. \\boxed{{{question.answer}}}")


def teach_chart_evidence(facts: ChartFacts, rng: np.random.Generator) -> Lesson:
    """The same, and between look and answer what the answer follows from: "red 25, blue 75"."""
    question = ask_chart(pick(CHART_FAMILIES, rng), facts, rng)
    values = values_of(facts)
    named = [color for color in question.text.rstrip("?.").split() if color in values]
    if question.family in ("highest", "lowest"):
        named = [question.answer]
    evidence = ", ".join(f"{color} {values[color]}" for color in named) or KINDS[facts["type"]]
    return Lesson(f"chart {question.family}", question.text, f"{_values(facts)}. {evidence}. \\boxed{{{question.answer}}}")


def _values(facts: ChartFacts) -> str:
    values = ", ".join(f"{color} {value}" for color, value in values_of(facts).items())
    return f"{KINDS[facts['type']]}: {values}"
