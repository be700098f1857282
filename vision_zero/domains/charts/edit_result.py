"""What an edit of a chart returns."""

from __future__ import annotations

from dataclasses import dataclass

from vision_zero.domains.charts.chart import Chart
from vision_zero.domains.charts.config import ChartEdit


@dataclass(frozen=True, slots=True)
class ChartChange:
    """One difference in words. ``alone`` is the original with this difference only, which shows where it is in the picture;
    None where it cannot be told apart from the edit's other differences (a slice that grows moves its neighbours)."""

    before: str
    after: str
    alone: Chart | None = None


@dataclass(frozen=True, slots=True)
class EditedChart:
    """The modified chart, the name of the edit, and its differences."""

    chart: Chart
    kind: ChartEdit
    changes: tuple[ChartChange, ...]
