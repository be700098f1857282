"""Settings of promotion: what a new version must show beside the version in production."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.pairs import Share


class PromotionConfig(Config):
    """How a run is judged at its end (:mod:`vision_zero.evaluation.promotion`), with the confidence of ``evaluation``."""

    pairs: int = Field(64, ge=0)
    """Held-out pairs that a run is judged on: drawn for it alone, so that no run is judged on what an earlier one was refused on.
    Four games a pair, and votes on one of them. 0: runs are not compared with the version in production."""
    questions: int = Field(20, ge=0)
    """Questions of each family about their scenes; 0: none."""
    unreadable: Share = 0.2
    """A larger share of unreadable clues or of unreadable votes blocks, unless the version in production has as many."""
