"""Settings of reading remote files."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from vision_zero.config_base import Config


class StorageConfig(Config):
    """How files are read. Credentials are not set here; they are read where the file system's own tools look for them."""

    pattern: str = "*"
    """Use only files whose path below the location matches, for example ``data/train-*``; ``*`` matches "/" too."""
    cache: str | None = None
    """Cache folder for remote files; null: in the user's cache. Local files are not copied."""
    attempts: int = Field(4, ge=1, le=20)
    """Attempts for a read if the connection fails."""
    wait_s: float = Field(0.5, ge=0.0, le=60.0)
    """Seconds before the second attempt; the wait doubles after each."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the file system, for example ``{"anon": true}`` or ``{"client_kwargs": {"endpoint_url": "http://..."}}`` for
    s3fs."""
