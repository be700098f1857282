"""Bounds of the alarms that are raised during training."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config, Share


class AlarmsConfig(Config):
    """When an alarm is raised. Negative transfer and unreadable replies also block promotion."""

    plateau_rounds: int = Field(5, ge=3)
    """Plateau: over this many held-out evaluations …"""
    plateau_gain: Share = 0.02
    """… the win rate against the base rises by less than this, by a linear fit."""
    copied: Share = 0.7
    """Role collapse: share of clues that repeat, word for word, an earlier clue of the other role in their game. Players that
    each name a random object already reach a quarter, since scenes have few objects."""
    empty: Share = 0.3
    """Role collapse: share of unreadable clues of either role."""
    template: Share = 0.5
    """Role collapse: share of a role's readable clues that equal its most frequent one."""
    role_gap: float = Field(0.005, ge=0.0)
    """Role collapse: mean difference between the spy's and the civilians' reward; at or below this value the roles are equal."""
    vague: Share = 0.6
    """Vagueness: held-out clues name fewer attributes than this share of the number in the base's clues."""
    abstention: Share = 0.8
    """N/A collapse: running N/A rate."""
    zero_variance: Share = 0.9
    """N/A collapse: recent share of groups of votes with equal rewards, while most votes are not right."""
    transfer_loss: Share = 0.05
    """Negative transfer: a suite's score is below the base's by more than this, and significantly so (Bonferroni-corrected for
    the number of suites). Blocks promotion."""
    unreadable: Share = 0.5
    """Unreadable replies: more than this share of the held-out votes, or of the clues, is unreadable. Blocks promotion."""
