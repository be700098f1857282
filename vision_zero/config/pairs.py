"""Settings of image pairs: scenes, charts, and the quality checks."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from vision_zero.config.base import Config
from vision_zero.config.imported import StorageConfig

Domain = Literal["scenes", "charts", "photos", "imported", "pictures"]
Split = Literal["train", "held_out"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
SceneEdit = Literal["recolor_reshape", "recolor", "reshape", "resize", "rematerial", "move", "add", "remove"]
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


class ScenesConfig(Config):
    """CLEVR-style scenes and their edits. Defaults are the paper's or CLEVR's, where they give a value."""

    width: int = Field(320, ge=16, le=4096)
    """Image width in pixels."""
    height: int = Field(240, ge=16, le=4096)
    """Image height in pixels."""
    min_objects: int = Field(4, ge=1, le=12)
    """Fewest objects in the original scene."""
    max_objects: int = Field(6, ge=1, le=12)
    """Most objects in the original scene."""
    extent: float = Field(3.0, gt=0.5, le=6.0)
    """Objects are placed in the square [-extent, extent]² of the ground, in CLEVR's units."""
    zoom: float = Field(1.0, gt=0.2, le=5.0)
    """Focal length as a multiple of CLEVR's 35 mm on a 32 mm sensor; above 1 objects are larger and fewer fit."""
    min_distance: float = Field(0.25, ge=0.0)
    """Smallest gap between the outlines of two objects on the ground (CLEVR: 0.25)."""
    margin: float = Field(0.4, ge=0.0)
    """Smallest distance of two objects along left-right and front-behind, so that relations are clear (CLEVR: 0.4)."""
    min_visible_pixels: int = Field(200, ge=1)
    """Smallest visible area of an object in pixels of a 320x240 image (CLEVR: 200); scaled to other image sizes."""
    min_visible_share: float = Field(0.3, ge=0.0, le=1.0)
    """Smallest visible share of an object; the rest may be occluded or outside the image."""
    camera_jitter: float = Field(0.5, ge=0.0, le=3.0)
    """Largest random displacement of the camera along each axis (CLEVR: 0.5)."""
    lamp_jitter: float = Field(1.0, ge=0.0, le=3.0)
    """Largest random displacement of the lamps along each axis (CLEVR: 1.0)."""
    edits: dict[SceneEdit, Annotated[float, Field(ge=0.0)]] = Field({"recolor_reshape": 1.0})
    """Relative frequency of each kind of edit; the paper's edit changes colour and shape in place."""
    min_changes: int = Field(2, ge=1, le=4)
    """Fewest objects that an edit changes."""
    max_changes: int = Field(2, ge=1, le=4)
    """Most objects that an edit changes (paper: 2)."""

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> Self:
        if self.min_objects > self.max_objects:
            raise ValueError("min_objects must not be larger than max_objects")
        if self.min_changes > self.max_changes:
            raise ValueError("min_changes must not be larger than max_changes")
        if self.max_changes > self.min_objects:
            raise ValueError("max_changes must not be larger than min_objects: an edit changes different objects")
        if not any(self.edits.values()):
            raise ValueError("edits must give at least one kind of edit a weight above 0")
        return self


COMPACT_TYPES: frozenset[ChartType] = frozenset(
    ("vertical_bars", "horizontal_bars", "stacked_bars", "lines", "areas", "pie", "doughnut", "scatter")
)
COMPACT_SHARES: frozenset[ChartType] = frozenset(("stacked_bars", "pie", "doughnut"))
"""Compact charts whose values sum to 100. They have at most four values, since five would be too similar."""
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
    types: dict[ChartType, Annotated[float, Field(ge=0.0)]] = Field(dict.fromkeys(get_args(ChartType), 1.0))
    """Relative frequency of each type of chart; default for ``style: compact``: bars of both directions, lines and pies."""
    edits: dict[ChartEdit, Annotated[float, Field(ge=0.0)]] = Field({"swap_values": 1.0})
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
            if self.width < 240 or self.height < 180:
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


class AreaBounds(Config):
    """Bounds on the changes in one domain's pairs; null: as for all domains."""

    min_changed_area: Share | None = None
    """Smallest share of pixels that differ visibly."""
    max_changed_area: Share | None = None
    """Largest share of pixels that differ visibly."""
    max_similarity: float | None = Field(None, ge=-1.0, le=1.0)
    """Largest structural similarity (SSIM) of the two images."""


class QualityConfig(Config):
    """Quality checks of pairs; a pair that fails one is quarantined with the reason."""

    min_changed_area: Share = 0.004
    """Smallest share of pixels that differ visibly."""
    max_changed_area: Share = 0.5
    """Largest share of pixels that differ visibly; above it the images are unrelated."""
    pixel_threshold: int = Field(24, ge=0, le=255)
    """A pixel differs visibly if one of its channels differs by more than this (of 255)."""
    min_similarity: float = Field(0.3, ge=-1.0, le=1.0)
    """Smallest structural similarity (SSIM) of the two images."""
    max_similarity: float = Field(0.999, ge=-1.0, le=1.0)
    """Largest structural similarity (SSIM) of the two images."""
    min_changes: int = Field(1, ge=0)
    """Fewest entries of the change log."""
    max_changes: int = Field(8, ge=0)
    """Most entries of the change log."""
    by_domain: dict[Domain, AreaBounds] = Field(
        {
            "scenes": AreaBounds(max_similarity=1.0),
            "charts": AreaBounds(min_changed_area=0.0004, max_changed_area=0.8, max_similarity=1.0),
            "photos": AreaBounds(max_changed_area=0.4, max_similarity=1.0),
        }
    )
    """Overrides for some domains: a changed label of a chart is small but readable, a changed colour scale covers a full chart,
    and SSIM does not see a change between colours of equal brightness."""
    min_solid_area: Share = 0.002
    """Imported pairs: smallest share of the image that differs by more than noise, to reject two renderings of one scene."""
    max_moved_share: Share = 0.4
    """Imported pairs: largest share of textured regions that are only displaced; above it the camera moved."""
    max_unlogged_area: Share = 0.001
    """Largest share of pixels that differ visibly outside the logged regions (not checked for scenes, whose shadows reach
    far)."""
    duplicate_distance: int = Field(4, ge=0, le=256)
    """Images whose 256-bit perceptual hashes differ in at most this many bits are duplicates."""
    min_edit_share: Share = 0.1
    """Smallest frequency of each kind of edit, as a share of the frequency that its weight asks for."""
    probe_pairs: int = Field(150, ge=0)
    """Pairs of each domain for the artifact probe: a small cross-validated classifier of single images as original or modified.
    If it succeeds, the spy could know its role from artifacts of the edit. 0: no probe; below 40 pairs none is trained."""
    max_probe_accuracy: Share = 0.6
    """Largest accuracy of the probe (chance is 0.5); only a significant excess counts."""
    specimens: int = Field(3, ge=0, le=20)
    """Pairs of each domain shown in the verdict: this many of those with the least visible change, and of the quarantined
    ones."""
    max_quarantined: Share = 0.1
    """A larger share of quarantined pairs fails the run, since the source is probably broken."""
