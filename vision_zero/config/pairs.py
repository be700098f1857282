"""Settings of image pairs: where they come from and what makes one good enough to play with."""

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
    """CLEVR-style scenes and their edits."""

    width: int = Field(320, ge=16, le=4096)
    """Width of a picture in pixels."""
    height: int = Field(240, ge=16, le=4096)
    """Height of a picture in pixels."""
    min_objects: int = Field(4, ge=1, le=12)
    """Fewest objects in the original scene."""
    max_objects: int = Field(6, ge=1, le=12)
    """Most objects in the original scene."""
    extent: float = Field(3.0, gt=0.5, le=6.0)
    """Objects stand in the square [-extent, extent]² of the ground, in CLEVR's units."""
    zoom: float = Field(1.0, gt=0.2, le=5.0)
    """Focal length as a multiple of CLEVR's 35 mm on a 32 mm sensor; above 1 the camera sees less, larger."""
    min_distance: float = Field(0.25, ge=0.0)
    """Least gap between two objects' rims on the ground (CLEVR: 0.25)."""
    margin: float = Field(0.4, ge=0.0)
    """Least distance between two objects along left-right and front-behind, so that relations are plain (CLEVR: 0.4)."""
    min_visible_pixels: int = Field(200, ge=1)
    """Every object shows at least this many pixels of a 320x240 picture (CLEVR: 200); scaled with the picture's area."""
    min_visible_share: float = Field(0.3, ge=0.0, le=1.0)
    """Every object shows at least this share of its own outline: the rest may be hidden or outside the picture."""
    camera_jitter: float = Field(0.5, ge=0.0, le=3.0)
    """The camera's position varies by up to this much along each axis (CLEVR: 0.5)."""
    lamp_jitter: float = Field(1.0, ge=0.0, le=3.0)
    """The lamps' positions vary by up to this much along each axis (CLEVR: 1.0)."""
    edits: dict[SceneEdit, Annotated[float, Field(ge=0.0)]] = Field({"recolor_reshape": 1.0})
    """Relative frequency of each kind of edit; the paper gives objects another colour and shape in the same place."""
    min_changes: int = Field(2, ge=1, le=4)
    """Fewest objects that an edit touches."""
    max_changes: int = Field(2, ge=1, le=4)
    """Most objects that an edit touches (the paper: 2)."""

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> Self:
        if self.min_objects > self.max_objects:
            raise ValueError("min_objects must not be larger than max_objects")
        if self.min_changes > self.max_changes:
            raise ValueError("min_changes must not be larger than max_changes")
        if self.max_changes > self.min_objects:
            raise ValueError("max_changes must not be larger than min_objects: an edit touches different objects")
        if not any(self.edits.values()):
            raise ValueError("edits must give at least one kind of edit a weight above 0")
        return self


COMPACT_TYPES: frozenset[ChartType] = frozenset(
    ("vertical_bars", "horizontal_bars", "stacked_bars", "lines", "areas", "pie", "doughnut", "scatter")
)
COMPACT_SHARES: frozenset[ChartType] = frozenset(("stacked_bars", "pie", "doughnut"))
"""Compact charts whose values sum to 100. Five shares that differ as plainly as the rule asks do not fit into 100."""
COMPACT_EDITS: frozenset[ChartEdit] = frozenset(("swap_values", "change_values", "recolor", "reorder"))


_COMPACT_DEFAULTS: dict[str, Any] = {
    "width": 112,
    "height": 112,
    "types": {"vertical_bars": 1.0, "horizontal_bars": 1.0, "lines": 1.0, "pie": 1.0},
    "min_categories": 3,
    "max_categories": 5,
}


class ChartsConfig(Config):
    """Charts drawn with matplotlib, and edits of their tables."""

    style: ChartLook = "full"
    """``full``: realistic charts. ``compact``: few thick marks in CLEVR's colours, for pictures of about 112x112."""
    width: int = Field(480, ge=64, le=4096)
    """Width of a picture in pixels; 112 where the style is compact and nothing is given."""
    height: int = Field(360, ge=64, le=4096)
    """Height of a picture in pixels; 112 where the style is compact and nothing is given."""
    types: dict[ChartType, Annotated[float, Field(ge=0.0)]] = Field(dict.fromkeys(get_args(ChartType), 1.0))
    """Relative frequency of each type of chart; bars of both directions, lines and pies where the style is compact."""
    edits: dict[ChartEdit, Annotated[float, Field(ge=0.0)]] = Field({"swap_values": 1.0})
    """Relative frequency of each kind of edit; the paper exchanges the values of two categories."""
    min_categories: int = Field(4, ge=2, le=12)
    """Fewest categories (bars, slices, points in time, bins, columns); compact: 3."""
    max_categories: int = Field(8, ge=2, le=12)
    """Most categories; compact: 5, of which a pie has at most 4."""
    min_series: int = Field(2, ge=2, le=6)
    """Fewest series where a chart has several (grouped and stacked bars, rows of a heat map); lines, areas may have one."""
    max_series: int = Field(4, ge=2, le=6)
    """Most series."""
    min_changes: int = Field(1, ge=1, le=4)
    """Fewest times that an edit is applied. Exchanging two values counts once; swap_series, reorder and change_axis are
    always applied once."""
    max_changes: int = Field(1, ge=1, le=4)
    """Most times that an edit is applied."""
    min_difference: float = Field(0.15, ge=0.0, le=0.5)
    """A value that is exchanged or changed moves by at least this share of the axis (of the largest slice for a pie)."""
    chartqa_root: str | None = None
    """Folder or URL (s3://...) of the ChartQA data set whose tables are drawn; none: tables are made up."""
    chartqa_split: Literal["train", "val", "test"] = "train"
    """The split of ChartQA to take tables from; val and test are what models are evaluated on."""
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
    """How large and how plain the changes of a domain's pairs may be; what is not given is as for all domains."""

    min_changed_area: Share | None = None
    """Least share of pixels that differ visibly."""
    max_changed_area: Share | None = None
    """Largest share of pixels that differ visibly."""
    max_similarity: float | None = Field(None, ge=-1.0, le=1.0)
    """Largest structural similarity of the two pictures."""


class QualityConfig(Config):
    """What a pair must satisfy to be played with; a pair that does not is quarantined with the reason."""

    min_changed_area: Share = 0.004
    """Least share of pixels that differ visibly: an edit nobody can see makes no game."""
    max_changed_area: Share = 0.5
    """Largest share of pixels that differ visibly: then it is another picture, not a modified one."""
    pixel_threshold: int = Field(24, ge=0, le=255)
    """A pixel differs visibly when one of its channels differs by more than this (of 255)."""
    min_similarity: float = Field(0.3, ge=-1.0, le=1.0)
    """Least structural similarity (SSIM) of the two pictures."""
    max_similarity: float = Field(0.999, ge=-1.0, le=1.0)
    """Largest structural similarity of the two pictures."""
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
    """Other bounds for some domains. A new label is small, but anybody can read it; a colour scale fills a whole chart;
    and a new colour may be as bright as the old one, which is all that the similarity sees."""
    min_solid_area: Share = 0.002
    """Least share of an imported pair's picture that differs beyond noise: two renderings of one scene are no edit."""
    max_moved_share: Share = 0.4
    """Largest share of an imported pair's textured parts that only lie elsewhere: then the camera moved."""
    max_unlogged_area: Share = 0.001
    """Largest share of pixels that differ visibly outside every logged change's box (of scenes: any, for shadows reach far)."""
    duplicate_distance: int = Field(4, ge=0, le=256)
    """Pictures whose 256-bit perceptual hashes differ in at most so many bits are one picture."""
    min_edit_share: Share = 0.1
    """Each kind of edit comes at least this often, as a share of what its weight in the settings asks for."""
    probe_pairs: int = Field(150, ge=0)
    """Pairs of each domain that a small probe is trained on, cross-validated, to tell an original from a modified picture by
    itself: where it can, the spy can know its role from artefacts. 0: no probe; below 40 pairs none is trained."""
    max_probe_accuracy: Share = 0.6
    """Largest share of pictures that the probe may get right. Half are by chance, and what may be chance is no finding."""
    specimens: int = Field(3, ge=0, le=20)
    """So many pairs of each domain are shown in the verdict: of those that are hardest to see, and of the quarantined ones."""
    max_quarantined: Share = 0.1
    """A larger share of quarantined pairs fails the run: then the source is broken, not a few pairs."""
