"""Settings of imported pairs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from vision_zero.config_base import Config
from vision_zero.data.storage_config import StorageConfig


class ImportedConfig(Config):
    """Existing pairs: a folder of image files, or a data set with two image columns."""

    location: str = Field(min_length=1)
    """Folder or URL (s3://..., hf://datasets/<user>/<name>) of ``<id>_original.*`` and ``<id>_modified.*`` (or before and after,
    input and output, ..., also as folders or in .tar archives), or of a data set in parquet, arrow, jsonl, json or csv files, or
    one such file."""
    layout: Literal["auto", "files", "table"] = "auto"
    """Whether the location has pairs of files or a data set; ``auto`` detects it."""
    split: str | None = "train"
    """The split to read, if files, folders or a column ``split`` name several; null: all. Held-out pairs are taken from it, too
    (``held_out_share``)."""
    original_column: str | None = None
    """Column of the original images (images, base64, or file paths); null: the usual names are tried."""
    modified_column: str | None = None
    """Column of the modified images; the same as ``original_column`` if one column holds both."""
    change_column: str | None = None
    """Column that describes the change; null: the usual names are tried."""
    group_column: str | None = None
    """Column whose value the edits of one image share, which go to one split; null: the usual names are tried, such as
    ``img_id``. Without one, up to 1,000 pairs that share an image go to one split, and of more those that share the original."""
    pictures: str | None = None
    """Folder or URL of the files that cells name; null: that of the data set."""
    sizes: Literal["equal", "crop", "resize"] = "equal"
    """What happens to a pair whose images differ in size by at most ``size_tolerance`` pixels: ``equal`` skips it, ``crop`` crops
    both around the centre to the common size, ``resize`` resizes both to it. Editors that work in blocks of 8 or 16 pixels change
    the size (ImgEdit's pairs: 1366 and 1360 pixels). Adjusted pairs are counted."""
    size_tolerance: int = Field(16, ge=1, le=256)
    """Largest difference in pixels of a side for ``sizes`` to apply."""
    width: int | None = Field(None, ge=16, le=4096)
    """Width to resize images to, together with ``height``; null: no resizing."""
    height: int | None = Field(None, ge=16, le=4096)
    """Height to resize images to."""
    storage: StorageConfig = StorageConfig()
    """How files are read."""

    @model_validator(mode="after")
    def _settings_that_belong_together_are_complete(self) -> Self:
        if (self.width is None) != (self.height is None):
            raise ValueError("give both width and height, or neither")
        if (self.original_column is None) != (self.modified_column is None):
            raise ValueError("give both original_column and modified_column, or neither")
        return self
