"""Measurements of chart pairs: does the change log agree with the two tables, can every text be read?

What the tables say differs is told in the words that an edit's log uses: the log must say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast, get_args

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.chart import Chart, from_facts
from vision_zero.domains.charts.config import ChartEdit
from vision_zero.domains.charts.parts import differing, told
from vision_zero.domains.charts.render import legibility_problems
from vision_zero.domains.pair_rules import UNREADABLE, disagreement, log_fault
from vision_zero.errors import PairsError, one_line

TOUCHED: Mapping[ChartEdit, frozenset[str]] = {
    "swap_values": frozenset({"series"}),
    "change_values": frozenset({"series"}),
    "swap_series": frozenset({"series"}),
    "relabel": frozenset({"categories", "series"}),
    "recolor": frozenset({"categories", "colors", "series", "style"}),
    "reorder": frozenset({"categories", "colors", "series"}),
    "change_axis": frozenset({"axis", "position_axis"}),
}
"""The fields of a chart that each kind of edit may change."""


def measure(pair: ImagePair) -> dict[str, Any]:
    """What is wrong with the log, and with the texts; None where nothing is."""
    return {"log_fault": log_fault(_log_against_tables, pair), "text_fault": _text_fault(pair)}


def _log_against_tables(pair: ImagePair) -> str:
    before, after = (from_facts(facts)[0] for facts in (pair.original_facts, pair.modified_facts))
    kinds = {change.kind for change in pair.changes}
    if len(kinds) != 1 or not kinds <= set(get_args(ChartEdit)):
        return f"one edit of a chart is expected, but the log has {', '.join(sorted(kinds)) or 'none'}"
    kind = cast(ChartEdit, kinds.pop())
    if moved := strays(before, after, kind):
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


def strays(before: Chart, after: Chart, kind: ChartEdit) -> list[str]:
    """The fields that differ though an edit of that kind does not touch them."""
    names = [field.name for field in fields(Chart)]
    return [name for name in names if getattr(before, name) != getattr(after, name) and name not in TOUCHED[kind]]
