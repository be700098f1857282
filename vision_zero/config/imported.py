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
    """Folder or URL (s3://..., hf://datasets/<user>/<name>) of ``<id>_original.*`` and ``<id>_modified.*``, or of a data set in
    parquet, arrow or jsonl files, or one such file."""
    layout: Literal["auto", "files", "table"] = "auto"
    """Whether the location holds pairs of files or a data set; ``auto`` looks."""
    original_column: str | None = None
    """The data set's column of originals (pictures, or paths below the data set's folder); none: the usual names are tried."""
    modified_column: str | None = None
    """The data set's column of modified pictures."""
    change_column: str | None = None
    """The data set's column that says what was changed; none: the usual names are tried."""
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
