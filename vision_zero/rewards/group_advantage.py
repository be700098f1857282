"""Group-relative advantage (GRPO, arXiv 2402.03300): A = (r - mean) / (std + ε) over replies to the same prompt.

The decision stage uses TRL's implementation, which a test compares with this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

EPSILON = 1e-4
"""TRL's ε."""


def group_advantages(rewards: Sequence[float]) -> list[float]:
    """Advantages of one group; zeros if all rewards are equal, and for a group of one. ``std`` is the sample's (n - 1)."""
    if len(rewards) < 2:
        return [0.0] * len(rewards)
    mean, spread = fmean(rewards), stdev(rewards)
    return [(reward - mean) / (spread + EPSILON) for reward in rewards]
