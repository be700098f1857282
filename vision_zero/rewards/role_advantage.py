r"""Role-advantage estimation (RAE): a running baseline for each role, since the spy's expected reward differs by design.

    b_role ← α b_role + (1 - α) r_role        A_k = r_k - b_role(k)        α = 0.95, b₀ = 0

r_civilian is the mean over the civilians of a game. ``update_first`` (paper) subtracts the baseline after this game's update,
``subtract_first`` (SPIRAL, arXiv 2506.24119) the one before it. The games of a batch update the baselines sequentially.
Not in the paper: ``unit_advantages``, which scales the advantages of a batch to a root mean square of 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from vision_zero.config.rewards import RewardsConfig
from vision_zero.config_base import Config
from vision_zero.game.transcript import Transcript
from vision_zero.rewards.clue import clue_totals


class RoleBaselines(Config):
    """Running means of the reward by role; part of the stage state, so they continue from run to run."""

    spy: float = 0.0
    civilian: float = 0.0

    def updated(self, spy: float, civilian: float, decay: float) -> RoleBaselines:
        """The baselines after one game with these rewards."""
        return RoleBaselines(spy=decay * self.spy + (1 - decay) * spy, civilian=decay * self.civilian + (1 - decay) * civilian)


def role_advantages(
    rewards: Mapping[int, float], spy: int, baselines: RoleBaselines, config: RewardsConfig
) -> tuple[dict[int, float], RoleBaselines]:
    """Advantages by seat from one game's rewards by seat, and the updated baselines."""
    if not config.role_advantage:
        return dict(rewards), baselines
    civilians = [reward for seat, reward in rewards.items() if seat != spy]
    after = baselines.updated(rewards[spy], sum(civilians) / len(civilians), config.baseline_decay)
    used = after if config.baseline_order == "update_first" else baselines
    return {seat: reward - (used.spy if seat == spy else used.civilian) for seat, reward in rewards.items()}, after


def batch_advantages(
    transcripts: Sequence[Transcript], baselines: RoleBaselines, config: RewardsConfig
) -> tuple[list[dict[int, float]], RoleBaselines]:
    """Advantages by seat for each game of a batch, games taken in order, and the baselines after the last."""
    advantages = []
    for transcript in transcripts:
        by_seat, baselines = role_advantages(clue_totals(transcript, config), transcript.spy, baselines, config)
        advantages.append(by_seat)
    return (_of_unit_size(advantages) if config.unit_advantages else advantages), baselines


def _of_unit_size(advantages: list[dict[int, float]]) -> list[dict[int, float]]:
    """Scaled to a root mean square of 1; unchanged if all are 0."""
    size = math.sqrt(fmean(value**2 for by_seat in advantages for value in by_seat.values())) or 1.0
    return [{seat: value / size for seat, value in by_seat.items()} for by_seat in advantages]
