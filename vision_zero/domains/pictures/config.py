"""Settings of the domain ``pictures``, single images without edits: their source and size."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from vision_zero.config_base import Config
from vision_zero.data.storage_config import StorageConfig


class PicturesConfig(Config):
    """Single images. The spy sees a blank image (arXiv 2509.25541v2), so nothing is edited, and no edit can leave artifacts."""

    location: str | None = Field(None, min_length=1)
    """Folder or URL (s3://..., hf://datasets/<user>/<name>) of images, or of a data set in parquet, arrow, jsonl, json or csv
    files, or one such file; null: the public-domain photos in scikit-image and matplotlib."""
    layout: Literal["auto", "files", "table"] = "auto"
    """Whether the location has image files or a data set; ``auto`` detects it."""
    column: str = "image"
    """The data set's image column."""
    split: str | None = "train"
    """The split to read, if files, folders or a column ``split`` name several; null: all. Held-out images are taken from it, too
    (``held_out_share``)."""
    storage: StorageConfig = StorageConfig()
    """How files are read."""
    width: int = Field(448, ge=16, le=4096)
    """A larger image is scaled down to at most this width …"""
    height: int = Field(448, ge=16, le=4096)
    """… and this height, with its aspect ratio; a smaller one is not resized."""
    least_side: int = Field(32, ge=8, le=4096)
    """Images whose shorter side is less than this after scaling are skipped."""

    @model_validator(mode="after")
    def _something_can_be_large_enough(self) -> Self:
        if self.least_side > min(self.width, self.height):
            raise ValueError("least_side must not be larger than width or height: every image would be skipped")
        return self
