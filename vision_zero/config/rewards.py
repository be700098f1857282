"""Weights of the reward rules; the defaults are the paper's."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config


class RewardsConfig(Config):
    """What moves are worth."""

    beta: float = Field(0.1, ge=0.0)
    """β: weight of the votes for the spy against those for the civilians."""
    lam: float = Field(0.1, ge=0.0)
    """λ: weight of a civilian's own votes against the other civilians'."""
    clue_unreadable: float = Field(0.0, ge=0.0)
    """What each unreadable clue costs the seat that said it. 0 (paper): it is free, and a spy may gain by saying nothing."""
    vote: Literal["right_or_wrong", "brier"] = "right_or_wrong"
    """How votes are paid: ``right_or_wrong`` (paper) by the three numbers below, ``brier`` by a proper scoring rule of how likely
    the policy was to vote for each seat after its reasoning. The latter takes one more pass over the prompts and replies."""
    vote_right: float = 1.0
    """Reward of a vote for the spy."""
    vote_abstain: float = -0.5
    """Reward of N/A."""
    vote_wrong: float = -1.0
    """Reward of a vote for a civilian and of an unreadable vote."""
    baseline_decay: float = Field(0.95, ge=0.0, lt=1.0)
    """α of role-advantage estimation."""
    baseline_order: Literal["update_first", "subtract_first"] = "update_first"
    """Update the role's baseline before it is subtracted (paper) or after (SPIRAL)."""
    role_advantage: bool = True
    """Off: the clue reward itself is the advantage (the ablation without RAE)."""
    unit_advantages: bool = False
    """Divide the advantages of an iteration's clues by their root mean square. They are about β in size (paper), ten times less
    than those of votes, which are divided by their deviation; under one Adam for both stages clues then hardly move anything."""
    shuffled: bool = False
    """A control: the rewards of an iteration's votes are handed out among its votes at random, those of its games among its
    games. The policy is updated as often and as much, and learns nothing of what it said."""
    vote_scale: Literal["group", "batch"] = "group"
    """What a vote's reward above its prompt's mean is divided by: the deviation among the prompt's votes (paper), or among all
    votes of the iteration. By the former a lone right vote among N/A weighs no more than a lone wrong one: voting pays where
    every second vote is right, and N/A is a trap. By the latter it pays where every fourth is, as the rewards have it."""
