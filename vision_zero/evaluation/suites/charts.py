"""Chart questions in ChartQA's style (Masry et al., 2022): retrieve, extremum, difference, count, compare.

Charts are made up, so the table behind each is known; replies are scored by ChartQA's relaxed accuracy. A question is asked only
where the chart answers it plainly: what must be told apart differs by ``PLAIN`` of the value axis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from vision_zero.config.suites import Look, SuiteConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.source import ChartSource
from vision_zero.evaluation.benchmarks.chartqa import best_match, final_answer
from vision_zero.evaluation.suite import Verdict
from vision_zero.evaluation.suites.procedural import ProceduralSuite, SuiteQuestion, as_asked, held_out, in_turn
from vision_zero.randomness import one_of

NAME, VERSION = "charts", 1
LOOKS: Mapping[Look, ChartsConfig] = {
    "full": ChartsConfig(types={"vertical_bars": 1.0, "horizontal_bars": 1.0, "grouped_bars": 1.0, "lines": 1.0, "pie": 1.0}),
    "compact": ChartsConfig(style="compact"),
}
PLAIN = 0.04
"""Share of the value axis by which values differ that a question tells apart; twice that where their difference is asked for."""
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one series by category, and what is needed to speak of them.

    Attributes:
        of: " of Exports" where the chart has several series, else nothing.
        span: length of the value axis.
        noun: what a category is: "color" in the compact look.
    """

    values: Mapping[str, float]
    of: str
    span: float
    unit: str
    noun: str

    def differ(self, one: float, two: float, share: float = PLAIN) -> bool:
        return abs(one - two) >= share * self.span


@dataclass(frozen=True, slots=True)
class ChartQuestion:
    """A question and every right answer to it."""

    text: str
    answers: tuple[str, ...]


def open_suite(config: SuiteConfig) -> ProceduralSuite:
    """``config.items`` questions, of each family in turn; five are about one chart."""
    root = held_out(NAME, VERSION).child(config.look)
    pose = in_turn(root, ChartSource(LOOKS[config.look]), tuple(FAMILIES), partial(_posed, config.look))
    return ProceduralSuite(config, VERSION, pose, __name__)


def _posed(look: Look, family: str, pair: ImagePair, rng: np.random.Generator) -> SuiteQuestion | None:
    question = FAMILIES[family](_row(pair.original_facts, rng), rng)
    if question is None:
        return None

    def judge(reply: str) -> Verdict:
        said = final_answer(reply)
        return Verdict(
            extraction=said,
            prediction=said,
            answers=question.answers,
            is_right=best_match(said, question.answers),
            is_answered=bool(said),
            groups={"family": (family,), "chart": (str(pair.original_facts["type"]),)},
        )

    return SuiteQuestion(as_asked(question.text, look), pair.original, judge)


def _row(facts: Mapping[str, Any], rng: np.random.Generator) -> Row:
    series = one_of(facts["series"], rng)
    low, high = facts["axis"]
    noun = "year" if all(_YEAR.fullmatch(name) for name in facts["categories"]) else facts["position_name"].lower() or "category"
    return Row(
        values=dict(zip(facts["categories"], map(float, series["values"]), strict=True)),
        of=f" of {series['name']}" if len(facts["series"]) > 1 else "",
        span=float(high - low),
        unit=facts["unit"],
        noun="color" if facts["style"]["look"] == "compact" else noun,
    )


def _retrieve(row: Row, rng: np.random.Generator) -> ChartQuestion | None:
    name = one_of(list(row.values), rng)
    preposition = f"{row.of} for" if row.of or row.noun != "color" else " of"
    return ChartQuestion(f"What is the value{preposition} {name}?", _number(row.values[name], row.unit))


def _extremum(row: Row, rng: np.random.Generator) -> ChartQuestion | None:
    order = sorted(row.values, key=row.values.__getitem__)
    word, best, next_best = one_of((("highest", order[-1], order[-2]), ("lowest", order[0], order[1])), rng)
    if not row.differ(row.values[best], row.values[next_best]):
        return None
    if row.noun == "color":
        return ChartQuestion(f"Which color is {word}?", (best,))
    return ChartQuestion(f"For which {row.noun} is the value{row.of} {word}?", (best,))


def _difference(row: Row, rng: np.random.Generator) -> ChartQuestion | None:
    one, two = _two(row, rng)
    first, second = row.values[one], row.values[two]
    if not row.differ(first, second, 2 * PLAIN):
        return None
    text = f"What is the difference between {one} and {two}?"
    if row.noun != "color":
        text = f"What is the difference between the values{row.of} for {one} and {two}?"
    return ChartQuestion(text, _number(abs(first - second), row.unit))


def _count(row: Row, rng: np.random.Generator) -> ChartQuestion | None:
    values = sorted(row.values.values())
    gaps = [(low, high) for low, high in pairwise(values) if row.differ(low, high, 2 * PLAIN)]
    if not gaps:
        return None
    low, high = one_of(gaps, rng)
    level = _level(low, high, PLAIN / 2 * row.span)
    what = "colors are higher than" if row.noun == "color" else f"values{row.of} are above"
    number = sum(value > level for value in values)
    return ChartQuestion(f"How many {what} {_text(level)}?", (str(number),))


def _compare(row: Row, rng: np.random.Generator) -> ChartQuestion | None:
    one, two = _two(row, rng)
    if not row.differ(row.values[one], row.values[two]):
        return None
    text = f"Is {one} higher than {two}?" if row.noun == "color" else f"Is the value{row.of} for {one} higher than for {two}?"
    return ChartQuestion(text, ("yes" if row.values[one] > row.values[two] else "no",))


def _two(row: Row, rng: np.random.Generator) -> tuple[str, str]:
    one, two = (str(name) for name in rng.choice(list(row.values), size=2, replace=False))
    return one, two


def _level(low: float, high: float, margin: float) -> float:
    """The roundest number between two values, by ``margin`` away from both."""
    middle = (low + high) / 2
    levels: Sequence[float] = [float(f"{middle:.{digits}g}") for digits in range(1, 6)]
    return next((level for level in levels if low + margin <= level <= high - margin), middle)


def _number(value: float, unit: str) -> tuple[str, ...]:
    """A number as an answer; of a percentage with and without its sign, which the rule takes for another number."""
    return (_text(value), f"{_text(value)}%") if unit == "%" else (_text(value),)


def _text(value: float) -> str:
    return f"{round(value, 6):g}" if abs(value) < 1e5 else f"{value:.0f}"


FAMILIES: Mapping[str, Callable[[Row, np.random.Generator], ChartQuestion | None]] = {
    "retrieve": _retrieve,
    "extremum": _extremum,
    "difference": _difference,
    "count": _count,
    "compare": _compare,
}
