"""Settings of single pictures: where they come from, and how large they are shown."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config
from vision_zero.config.imported import StorageConfig


class PicturesConfig(Config):
    """Any pictures, each by itself: the spy gets an empty one (arXiv 2509.25541v2), so that nothing is edited and no edit can be
    noticed."""

    location: str | None = None
    """Folder or URL (s3://..., hf://datasets/<user>/<name>) of pictures, or of a data set in parquet, arrow, jsonl, json or csv
    files, or one such file; none: the public-domain photos that scikit-image and matplotlib bring along."""
    layout: Literal["auto", "files", "table"] = "auto"
    """Whether the location holds pictures or a data set; ``auto`` looks."""
    column: str = "image"
    """The data set's column of pictures."""
    split: str | None = "train"
    """The split that is read where files, folders or a column ``split`` name several; none: all. Held-out pictures are taken from
    it, too (``held_out_share``)."""
    storage: StorageConfig = StorageConfig()
    """How files are read."""
    width: int = Field(448, ge=16, le=4096)
    """A larger picture is scaled down to at most this width …"""
    height: int = Field(448, ge=16, le=4096)
    """… and this height, keeping its shape; a smaller one stays as it is."""
    least_side: int = Field(32, ge=8, le=4096)
    """A picture with a shorter side, once scaled, is passed over: there is nothing to see in it."""

    @model_validator(mode="after")
    def _something_can_be_large_enough(self) -> Self:
        if self.least_side > min(self.width, self.height):
            raise ValueError("least_side must not be larger than width or height: every picture would be passed over")
        return self
