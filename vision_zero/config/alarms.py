"""Bounds of the alarms that watch learning."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.pairs import Share


class AlarmsConfig(Config):
    """When to say that something goes wrong."""

    plateau_rounds: int = Field(5, ge=3)
    """Plateau: over this many held-out measurements …"""
    plateau_gain: Share = 0.02
    """… the win rate against the base, fitted by a line, rises by less than this."""
    copied: Share = 0.7
    """Role collapse: share of clues that repeat, word for word, a clue that the other role has said before them in their game.
    Players who name one thing each at random do so in a quarter of their clues: a scene has few things."""
    empty: Share = 0.3
    """Role collapse: share of clues of either role that say nothing readable."""
    template: Share = 0.5
    """Role collapse: share of a role's readable clues that are word for word its most frequent one."""
    role_gap: float = Field(0.005, ge=0.0)
    """Role collapse: mean distance of the spy's reward from the civilians'; at or below this the roles mean nothing."""
    vague: Share = 0.6
    """Vagueness: held-out clues name fewer attributes than this share of those that the base's name."""
    abstention: Share = 0.8
    """N/A collapse: running N/A rate."""
    zero_variance: Share = 0.9
    """N/A collapse: share of groups of votes with equal rewards, lately, while most votes are not right."""
    transfer_loss: Share = 0.05
    """Negative transfer: a held-out suite falls below the base by more than this, significantly for as many suites as are looked
    at; it blocks promotion."""
    unreadable: Share = 0.5
    """Unreadable replies: more than this share of the held-out votes, or of the clues, holds no move; it blocks promotion."""
