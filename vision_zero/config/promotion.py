"""Settings of the comparison with the version in production, which decides on promotion."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config, Share


class PromotionConfig(Config):
    """How a run's policy is compared with the version in production (:mod:`vision_zero.evaluation.promotion`), with the
    confidence of ``evaluation``."""

    pairs: int = Field(64, ge=0)
    """Held-out pairs of the comparison, different in every run, so that a run is not judged on pairs on which an earlier one was
    refused. Each costs four games, and votes on one of them. 0: no comparison."""
    questions: int = Field(20, ge=0)
    """Questions of each family about the scenes of these pairs; 0: none."""
    unreadable: Share = 0.2
    """A larger share of unreadable clues or votes blocks promotion, unless that of the version in production is as large."""
