"""The decision stage's reward (arXiv 2509.25541): +1 for a right vote, -0.5 for N/A, -1 for a wrong or unreadable one."""

from __future__ import annotations

from vision_zero.config.rewards import RewardsConfig
from vision_zero.game.parsing import Unreadable, Vote


def vote_reward(vote: Vote | Unreadable, spy: int, config: RewardsConfig) -> float:
    """The reward of one vote in a game in which ``spy`` is the spy's seat."""
    if isinstance(vote, Unreadable):
        return config.vote_wrong
    if vote.seat is None:
        return config.vote_abstain
    return config.vote_right if vote.seat == spy else config.vote_wrong
