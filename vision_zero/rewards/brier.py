r"""Votes paid by a proper scoring rule on the spy's seat: beyond the paper, an option beside its +1, -0.5 and -1.

q_i is how likely the voter, after its own reasoning, is to box seat i, and q_0 what is left for anything else: N/A, and what
cannot be read. s is the spy's seat. The score is Brier's (1950), up to a constant:

    S(q, s) = 2 q_s - Σ_i q_i²

It is proper: where p is what can be known of the spy's seat, E_{s~p} S(q, s) = Σ_i p_i² - Σ_i (p_i - q_i)² is largest at q = p
and nowhere else. "+1 or -1" is 2 q_s - 1 on average, largest where all of q is on the likeliest seat: overconfidence pays. A vote
k that was drawn earns

    R(k) = 2 [k = s] - 2 q_k + Σ_i q_i²        so that E_{k~q} R(k) = S(q, s)

and its policy gradient is that of the expected score, through the reasoning (of log-probability log π) and through the vote:

    E_{k~q} [R(k) (∇ log π + ∇ log q_k)] = S(q, s) ∇ log π + Σ_k (2 [k = s] - 2 q_k) ∇ q_k = S ∇ log π + ∇ S

A reply that boxes nothing has no q: all of it is elsewhere, q_0 = 1, and it earns -1. Rewards lie in [-1, 3].
"""

from __future__ import annotations

from collections.abc import Sequence

from vision_zero.game.parsing import Unreadable, Vote

NOTHING_BOXED: tuple[float, ...] = ()
"""The chances of a reply that boxes nothing."""


def brier_reward(vote: Vote | Unreadable, spy: int, chances: Sequence[float]) -> float:
    """R(k) of a vote that was drawn with these chances: those of the seats from 1 on; what is missing to 1 is elsewhere."""
    elsewhere = max(0.0, 1.0 - sum(chances))
    square = sum(chance**2 for chance in chances) + elsewhere**2
    seat = vote.seat if isinstance(vote, Vote) else None
    if seat is None:
        return square - 2 * elsewhere
    own = chances[seat - 1] if seat <= len(chances) else 0.0
    return 2.0 * (seat == spy) - 2 * own + square
