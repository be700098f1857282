"""``run.json``: the identity of a run, kept in its folder, so that the folder can be copied and renamed."""

from __future__ import annotations

from vision_zero.config.base import Config
from vision_zero.config.rewards import RewardsConfig

IDENTITY = "run.json"
"""Name of the file."""


class RunIdentity(Config):
    """Facts about a run that reports and comparisons need beside its scores."""

    run: str
    """Name of the run."""
    rewards: RewardsConfig
    """Rewards that it was trained with."""
    model: str = ""
    """Name of its model in ZenML; empty in folders that earlier versions of this project wrote."""
