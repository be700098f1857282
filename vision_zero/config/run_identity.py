"""What a run's folder says of the run itself, kept as ``run.json``, so that the folder may be copied and renamed."""

from __future__ import annotations

from vision_zero.config.base import Config
from vision_zero.config.rewards import RewardsConfig

IDENTITY = "run.json"
"""Name of the file."""


class RunIdentity(Config):
    """What pages and comparisons need to know of a run, and its numbers do not say."""

    run: str
    """Name of the run."""
    rewards: RewardsConfig
    """What votes earned in it."""
    model: str = ""
    """Name of the model whose versions it continued; empty in folders of earlier versions."""
