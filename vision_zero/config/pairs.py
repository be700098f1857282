"""Settings of image pairs: where they come from and what makes one good enough to play with."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config

SceneEdit = Literal["recolor_reshape", "recolor", "reshape", "resize", "rematerial", "move", "add", "remove"]


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
