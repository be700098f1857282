"""Settings of scene pairs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from vision_zero.config_base import Config, Weight

SceneEdit = Literal["recolor_reshape", "recolor", "reshape", "resize", "rematerial", "move", "add", "remove"]


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
    edits: dict[SceneEdit, Weight] = Field({"recolor_reshape": 1.0})
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


SMALL_SCENES = ScenesConfig(width=112, height=112, min_objects=3, max_objects=5, extent=2.0, zoom=1.5, min_visible_share=0.4)
"""Small images, fewer objects than the paper's, and a closer camera: the embedded policy was trained on them."""
