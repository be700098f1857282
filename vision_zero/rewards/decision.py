"""The decision stage's reward (arXiv 2509.25541): +1 for a right vote, -0.5 for N/A, -1 for a wrong or unreadable one.

Not in the paper: ``rewards.vote: brier`` (:mod:`vision_zero.rewards.brier`).
"""

from __future__ import annotations

from collections.abc import Sequence

from vision_zero.config.rewards import RewardsConfig
from vision_zero.game.parsing import Unreadable, Vote
from vision_zero.rewards.brier import NOTHING_BOXED, brier_reward


def vote_reward(vote: Vote | Unreadable, spy: int, config: RewardsConfig, chances: Sequence[float] = NOTHING_BOXED) -> float:
    """The reward of one vote in a game in which ``spy`` is the spy's seat.

    Args:
        chances: how likely the voter was to box each seat; only a scoring rule looks at them.
    """
    if config.vote == "brier":
        return brier_reward(vote, spy, chances)
    if isinstance(vote, Unreadable):
        return config.vote_wrong
    if vote.seat is None:
        return config.vote_abstain
    return config.vote_right if vote.seat == spy else config.vote_wrong
