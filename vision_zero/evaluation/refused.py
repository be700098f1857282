"""Versions of a model that were not promoted."""

from __future__ import annotations

from vision_zero.config.base import Config


class Refused(Config):
    """A version of the model that was not promoted, and why. It stays in the registry, and its run's files where they are."""

    version: int
    reason: str
