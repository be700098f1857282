"""Measurements of chart pairs: does the change log agree with the two tables, can every text be read?

What the tables say differs is told in the words that an edit's log uses: the log must say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast, get_args

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.chart import Chart, Series, from_facts
from vision_zero.domains.charts.config import ChartEdit
from vision_zero.domains.charts.parts import differing, told
from vision_zero.domains.charts.render import legibility_problems
from vision_zero.domains.pair_rules import UNREADABLE, disagreement, log_fault
from vision_zero.errors import PairsError, one_line

TOUCHED: Mapping[ChartEdit, frozenset[str]] = {
    "swap_values": frozenset({"series values"}),
    "change_values": frozenset({"series values"}),
    "swap_series": frozenset({"series values", "series positions"}),
    "relabel": frozenset({"categories", "series name"}),
    "recolor": frozenset({"categories", "colors", "series color", "style"}),
    "reorder": frozenset({"categories", "colors", "series name", "series color", "series values"}),
    "change_axis": frozenset({"axis", "position_axis"}),
}
"""The fields of a chart, and of its series, that each kind of edit may change."""


def measure(pair: ImagePair) -> dict[str, Any]:
    """What is wrong with the log, and with the texts; None where nothing is."""
    return {"log_fault": log_fault(_log_against_tables, pair), "text_fault": _text_fault(pair)}


def _log_against_tables(pair: ImagePair) -> str:
    before, after = (from_facts(facts)[0] for facts in (pair.original_facts, pair.modified_facts))
    kinds = {change.kind for change in pair.changes}
    if len(kinds) != 1 or not kinds <= set(get_args(ChartEdit)):
        return f"one edit of a chart is expected, but the log has {', '.join(sorted(kinds)) or 'none'}"
    kind = cast(ChartEdit, kinds.pop())
    if moved := _strays(before, after, kind):
        return f"the {' and the '.join(moved)} of the chart differs too"
    found = Counter((told(before, kind, part), told(after, kind, part)) for part in differing(before, after, kind))
    return disagreement(found, Counter((each.before, each.after) for each in pair.changes), "table")


def _text_fault(pair: ImagePair) -> str | None:
    try:
        return next(
            (problem for facts in (pair.original_facts, pair.modified_facts) for problem in legibility_problems(facts)), None
        )
    except PairsError:
        return None  # `log_fault` says so.
    except UNREADABLE as error:
        return f"it cannot be drawn: {one_line(error)}"


def _strays(before: Chart, after: Chart, kind: ChartEdit) -> list[str]:
    """The fields that differ though an edit of that kind does not touch them."""
    old, new = _fields(before), _fields(after)
    return [name for name in old if old[name] != new[name] and name not in TOUCHED[kind]]


def _fields(chart: Chart) -> dict[str, Any]:
    """The chart's fields by name, those of its series apart."""
    own = {field.name: getattr(chart, field.name) for field in fields(Chart) if field.name != "series"}
    return own | {f"series {field.name}": [getattr(row, field.name) for row in chart.series] for field in fields(Series)}
