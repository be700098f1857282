"""Group-relative advantage (GRPO, arXiv 2402.03300): A = (r - mean) / (std + ε) over replies that saw the same information.

The decision trainer leaves this to TRL; the function is for scoring saved runs again and for checking TRL against.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

EPSILON = 1e-4
"""TRL's ε."""


def group_advantages(rewards: Sequence[float]) -> list[float]:
    """Advantages of one group; all zero where the rewards are equal, and for a group of one."""
    if len(rewards) < 2:
        return [0.0] * len(rewards)
    mean, spread = fmean(rewards), stdev(rewards)
    return [(reward - mean) / (spread + EPSILON) for reward in rewards]
