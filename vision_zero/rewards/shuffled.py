r"""Shuffled rewards: a control whose updates carry no information.

    votes:  r_i ← r_σ(i)    over all votes of an iteration
    clues:  A_spy(g) ← A_spy(π(g)),  A_j(g) ← A_j(π(g))    over all games of an iteration, civilians in the order of their seats

σ and π are random permutations from the iteration's seed. Mean rewards by role are unchanged; a reply's reward no longer
depends on its content. Advantages of clues are the same ones in another order. Those of votes are larger: the rewards of a prompt
are more alike than those of all prompts, and hardly any group is left with equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vision_zero.randomness import Seed


def shuffled(rewards: Sequence[float], seed: Seed) -> list[float]:
    """The rewards in a random order."""
    return [rewards[place] for place in seed.generator().permutation(len(rewards))]


def shuffled_among_games(advantages: Sequence[Mapping[int, float]], spies: Sequence[int], seed: Seed) -> list[dict[int, float]]:
    """Each game's advantages by seat, taken from another random game; ``spies`` holds the spy's seat of each game."""
    handed: list[dict[int, float]] = []
    for place, spy in zip(seed.generator().permutation(len(spies)), spies, strict=True):
        others = iter([value for seat, value in sorted(advantages[place].items()) if seat != spies[place]])
        seats = sorted(advantages[len(handed)])
        handed.append({seat: advantages[place][spies[place]] if seat == spy else next(others) for seat in seats})
    return handed
