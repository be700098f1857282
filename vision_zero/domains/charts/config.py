"""Settings of chart pairs."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from vision_zero.config_base import Config, Weight
from vision_zero.data.storage_config import StorageConfig

ChartType = Literal[
    "vertical_bars",
    "horizontal_bars",
    "grouped_bars",
    "stacked_bars",
    "lines",
    "areas",
    "pie",
    "doughnut",
    "scatter",
    "box_plot",
    "histogram",
    "heat_map",
]
ChartEdit = Literal["swap_values", "change_values", "swap_series", "relabel", "recolor", "reorder", "change_axis"]
ChartLook = Literal["full", "compact"]
COMPACT_TYPES: frozenset[ChartType] = frozenset(
    ("vertical_bars", "horizontal_bars", "stacked_bars", "lines", "areas", "pie", "doughnut", "scatter")
)
COMPACT_SHARES: frozenset[ChartType] = frozenset(("stacked_bars", "pie", "doughnut"))
"""Compact charts whose values sum to 100. They have at most four values, since five would be too similar."""
FULL_SIZE = (240, 180)
"""Least width and height of a chart with text on it."""
COMPACT_EDITS: frozenset[ChartEdit] = frozenset(("swap_values", "change_values", "recolor", "reorder"))


_COMPACT_DEFAULTS: dict[str, Any] = {
    "width": 112,
    "height": 112,
    "types": {"vertical_bars": 1.0, "horizontal_bars": 1.0, "lines": 1.0, "pie": 1.0},
    "min_categories": 3,
    "max_categories": 5,
}


class ChartsConfig(Config):
    """Charts rendered with matplotlib, and edits of their data."""

    style: ChartLook = "full"
    """``full``: realistic charts. ``compact``: few thick glyphs in CLEVR's colours, for images of about 112x112."""
    width: int = Field(480, ge=64, le=4096)
    """Image width in pixels; default for ``style: compact``: 112."""
    height: int = Field(360, ge=64, le=4096)
    """Image height in pixels; default for ``style: compact``: 112."""
    types: dict[ChartType, Weight] = Field(dict.fromkeys(get_args(ChartType), 1.0))
    """Relative frequency of each type of chart; default for ``style: compact``: bars of both directions, lines and pies."""
    edits: dict[ChartEdit, Weight] = Field({"swap_values": 1.0})
    """Relative frequency of each kind of edit; the paper's edit swaps the values of two categories."""
    min_categories: int = Field(4, ge=2, le=12)
    """Fewest categories (bars, slices, points in time, bins, columns); compact: 3."""
    max_categories: int = Field(8, ge=2, le=12)
    """Most categories; compact: 5, of which a pie has at most 4."""
    min_series: int = Field(2, ge=2, le=6)
    """Fewest series in charts with several (grouped and stacked bars, rows of a heat map); lines and areas may have one."""
    max_series: int = Field(4, ge=2, le=6)
    """Most series."""
    min_changes: int = Field(1, ge=1, le=4)
    """Fewest times that an edit is applied. A swap of two values counts once; swap_series, reorder and change_axis are
    always applied once."""
    max_changes: int = Field(1, ge=1, le=4)
    """Most times that an edit is applied."""
    min_difference: float = Field(0.15, ge=0.0, le=0.5)
    """Smallest change of a swapped or changed value, as a share of the axis (for a pie, of the largest slice)."""
    chartqa_root: str | None = None
    """Folder or URL (s3://...) of a ChartQA data set whose data are plotted; null: procedural data."""
    chartqa_split: Literal["train", "val", "test"] = "train"
    """ChartQA split; val and test are used to evaluate models."""
    storage: StorageConfig = StorageConfig()
    """How ChartQA's files are read."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_style(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("style") == "compact":
            return {**_COMPACT_DEFAULTS, **data}
        return data

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> Self:
        if self.min_categories > self.max_categories:
            raise ValueError("min_categories must not be larger than max_categories")
        if self.min_series > self.max_series:
            raise ValueError("min_series must not be larger than max_series")
        if self.min_changes > self.max_changes:
            raise ValueError("min_changes must not be larger than max_changes")
        if not any(self.types.values()):
            raise ValueError("types must give at least one type of chart a weight above 0")
        if not any(self.edits.values()):
            raise ValueError("edits must give at least one kind of edit a weight above 0")
        return self

    @model_validator(mode="after")
    def _style_can_draw_it(self) -> Self:
        if self.style == "full":
            if self.width < FULL_SIZE[0] or self.height < FULL_SIZE[1]:
                raise ValueError("style full needs at least 240x180 pixels for its text: use style compact")
            return self
        drawn = {kind for kind, weight in self.types.items() if weight > 0}
        if drawn - COMPACT_TYPES:
            raise ValueError(f"style compact draws no {', '.join(sorted(drawn - COMPACT_TYPES))}")
        if edits := {kind for kind, weight in self.edits.items() if weight > 0} - COMPACT_EDITS:
            raise ValueError(f"style compact has no {', '.join(sorted(edits))}: its names are colours and its axis is fixed")
        if not 3 <= self.min_categories <= self.max_categories <= 5:
            raise ValueError("style compact has 3 to 5 categories")
        if drawn & COMPACT_SHARES and self.min_categories > 4:
            raise ValueError("compact pies, doughnuts and stacked bars have at most 4 categories: lower min_categories")
        if self.chartqa_root is not None:
            raise ValueError("chartqa_root needs style full")
        return self
