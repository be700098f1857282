"""Settings of pairs that were made elsewhere, and of reading files that may be far away."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config


class StorageConfig(Config):
    """How files are read. Credentials are not set here: they come from where the file system's own tools look for them."""

    pattern: str = "*"
    """Only files whose path below the location matches are used, for example ``data/train-*``; ``*`` matches "/" too."""
    cache: str | None = None
    """Folder for copies of remote files; none: a folder of the user's cache. Local files are never copied."""
    attempts: int = Field(4, ge=1, le=20)
    """How often a read is tried when the connection fails."""
    wait_s: float = Field(0.5, ge=0.0, le=60.0)
    """Seconds before the second attempt; each further one waits twice as long."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options for the file system, for example ``{"anon": true}`` or ``{"client_kwargs": {"endpoint_url": "http://..."}}`` for
    s3fs."""


class ImportedConfig(Config):
    """Pairs that exist already: a folder of files, or a data set with two columns of pictures."""

    location: str = ""
    """Folder or URL (s3://..., hf://datasets/<user>/<name>) of ``<id>_original.*`` and ``<id>_modified.*`` (or before and after,
    input and output, ..., also as folders or in .tar archives), or of a data set in parquet, arrow, jsonl, json or csv files, or
    one such file."""
    layout: Literal["auto", "files", "table"] = "auto"
    """Whether the location holds pairs of files or a data set; ``auto`` looks."""
    split: str | None = "train"
    """The split that is read where files, folders or a column ``split`` name several; none: all. Held-out pairs are taken from
    it, too (``held_out_share``)."""
    original_column: str | None = None
    """The data set's column of originals (pictures, base64, or paths of files); none: the usual names are tried."""
    modified_column: str | None = None
    """The data set's column of modified pictures; the same as that of originals where one column holds both."""
    change_column: str | None = None
    """The data set's column that says what was changed; none: the usual names are tried."""
    group_column: str | None = None
    """The data set's column that edits of one picture share: they belong to one split; none: the usual names are tried, such as
    ``img_id``. Pairs that share a picture belong together anyway."""
    pictures: str | None = None
    """Folder or URL of the files that cells name, where it is not the data set's own."""
    sizes: Literal["equal", "crop", "resize"] = "equal"
    """What becomes of a pair whose pictures differ in size by at most ``size_tolerance``: it is passed over; both are cropped
    around their middle to what they share; or both are resized to it. Editors that work in blocks of 8 or 16 pixels resize or
    crop (ImgEdit's pairs: 1366 and 1360 pixels); pairs that were made to fit are counted."""
    size_tolerance: int = Field(16, ge=1, le=256)
    """Most pixels by which sides may differ for that."""
    width: int | None = Field(None, ge=16, le=4096)
    """Width that pictures are resized to, together with ``height``; none: they keep their size."""
    height: int | None = Field(None, ge=16, le=4096)
    """Height that pictures are resized to."""
    storage: StorageConfig = StorageConfig()
    """How files are read."""

    @model_validator(mode="after")
    def _pairs_of_settings_are_whole(self) -> Self:
        if (self.width is None) != (self.height is None):
            raise ValueError("give both width and height, or neither")
        if (self.original_column is None) != (self.modified_column is None):
            raise ValueError("give both original_column and modified_column, or neither")
        return self
