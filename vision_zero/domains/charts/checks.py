"""Measurements of chart pairs: does the change log agree with the two tables, can every text be read?"""

from __future__ import annotations

from collections import Counter
from typing import Any, cast, get_args

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.change_log import disagreement, log_fault
from vision_zero.domains.charts.chart import from_facts
from vision_zero.domains.charts.chart_diff import differences, strays
from vision_zero.domains.charts.config import ChartEdit
from vision_zero.domains.charts.legibility import legibility_problems
from vision_zero.errors import PairsError


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
    logged = Counter((each.before, each.after) for each in pair.changes)
    return disagreement(Counter(differences(before, after, kind)), logged, "table")


def _text_fault(pair: ImagePair) -> str | None:
    try:
        return next(
            (problem for facts in (pair.original_facts, pair.modified_facts) for problem in legibility_problems(facts)), None
        )
    except PairsError:
        return None  # `log_fault` says so.
