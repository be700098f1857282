"""Questions about compact charts, in ChartQA's manner: kind of chart, extremes, values, comparison. Names are colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from vision_zero.domains.domain import Question
from vision_zero.randomness import one_of

ChartFamily = Literal["type", "highest", "lowest", "value", "compare"]
CHART_FAMILIES: tuple[ChartFamily, ...] = get_args(ChartFamily)
KINDS: Mapping[str, str] = {
    "vertical_bars": "vertical bars",
    "horizontal_bars": "horizontal bars",
    "lines": "line",
    "pie": "pie",
}
"""Kinds of chart that a question can be asked about, and their names in answers."""
TOLERANCE = 0.10
"""A read value is right within this share of the true one."""


def values_of(facts: Mapping[str, Any]) -> dict[str, int]:
    """Value by colour of a compact chart, in the order in which they are drawn."""
    return dict(zip(facts["categories"], facts["series"][0]["values"], strict=True))


def ask_chart(family: ChartFamily, facts: Mapping[str, Any], rng: np.random.Generator) -> Question:
    """A question of that family about a compact chart."""
    values = values_of(facts)
    if family == "type":
        return Question("type", "What kind of chart is this?", KINDS[facts["type"]])
    if family in ("highest", "lowest"):
        extreme = (max if family == "highest" else min)(values, key=values.__getitem__)
        return Question(family, f"Which color is {family}?", extreme)
    if family == "value":
        color = one_of(list(values), rng)
        return Question("value", f"What is the value of {color}?", str(values[color]))
    one, two = (str(name) for name in rng.choice(list(values), size=2, replace=False))
    return Question("compare", f"Is {one} higher than {two}?", "yes" if values[one] > values[two] else "no")


def is_value_right(answer: str, said: str) -> bool:
    """Is a read number within ``TOLERANCE`` of the true one?"""
    return said.isdecimal() and abs(float(said) - int(answer)) <= TOLERANCE * int(answer)
