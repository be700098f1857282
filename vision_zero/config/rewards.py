"""Weights of the reward rules; the defaults are the paper's."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config_base import Config


class RewardsConfig(Config):
    """Rewards of clues and votes, and how advantages are computed from them."""

    beta: float = Field(0.1, ge=0.0)
    """β: weight of the votes for the spy against those for the civilians."""
    lam: float = Field(0.1, ge=0.0)
    """λ: weight of a civilian's own votes against the other civilians'."""
    clue_unreadable: float = Field(0.0, ge=0.0)
    """Cost of an unreadable clue for its player. At 0 (paper) a spy may gain by saying nothing."""
    vote: Literal["right_or_wrong", "brier"] = "right_or_wrong"
    """Reward of votes: ``right_or_wrong`` (paper), the three numbers below; ``brier``, a proper scoring rule on the policy's
    probability of each seat after its reasoning, which takes one more forward pass over prompts and replies."""
    vote_right: float = 1.0
    """Reward of a vote for the spy. With ``game.prompt: paper`` the prompt of a vote names these three."""
    vote_abstain: float = -0.5
    """Reward of N/A."""
    vote_wrong: float = -1.0
    """Reward of a vote for a civilian and of an unreadable vote."""
    baseline_decay: float = Field(0.95, ge=0.0, lt=1.0)
    """α of role-advantage estimation."""
    baseline_order: Literal["update_first", "subtract_first"] = "update_first"
    """Update the role's baseline before it is subtracted (paper) or after (SPIRAL)."""
    role_advantage: bool = True
    """Role-advantage estimation (RAE). Off: the clue reward itself is the advantage."""
    unit_advantages: bool = False
    """Divide the advantages of an iteration's clues by their root mean square. Without this (paper) they are about β in size, a
    tenth of those of votes, which are divided by their standard deviation; under a shared Adam clues then have little effect."""
    shuffled: bool = False
    """A control: permute the rewards of an iteration's votes among its votes, and those of its games among its games. Updates are
    as many but carry no information; those on votes are larger, since fewer prompts have votes of equal rewards."""
    vote_scale: Literal["group", "batch"] = "group"
    """Standard deviation by which the advantage of a vote is divided: over the votes of its prompt (paper), or over all votes of
    the iteration. With ``group``, a single right vote among N/A votes weighs no more than a single wrong one: a policy learns to
    vote N/A unless half of its votes are right. With ``batch``, voting pays from one right vote in four, as the rewards say."""
