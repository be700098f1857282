r"""Rewards handed out at random: a control that takes the same steps without their information.

    votes:  r_i ← r_σ(i)    over all votes of an iteration
    clues:  A_spy(g) ← A_spy(π(g)),  A_j(g) ← A_j(π(g))    over all games of an iteration, civilians in the order of their seats

σ and π are permutations drawn by the iteration's seed. What a role earns on average stays as it is; what a reply earns no longer
depends on what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vision_zero.randomness import Seed


def shuffled(rewards: Sequence[float], seed: Seed) -> list[float]:
    """The same rewards in an order that the seed draws."""
    return [rewards[place] for place in seed.generator().permutation(len(rewards))]


def shuffled_among_games(advantages: Sequence[Mapping[int, float]], spies: Sequence[int], seed: Seed) -> list[dict[int, float]]:
    """Each game's advantages by seat, taken from a game that the seed draws; ``spies`` are the games' seats of the spy."""
    handed: list[dict[int, float]] = []
    for place, spy in zip(seed.generator().permutation(len(spies)), spies, strict=True):
        others = iter([value for seat, value in sorted(advantages[place].items()) if seat != spies[place]])
        seats = sorted(advantages[len(handed)])
        handed.append({seat: advantages[place][spies[place]] if seat == spy else next(others) for seat in seats})
    return handed
