"""Players whose replies have a fixed length, to train on replies that are there.

The update of a random model is the same work as that of a good one, if replies are as long; drawing them would take longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from vision_zero.game.interface import Reply, Request
from vision_zero.randomness import Seed

CLUE = "The small red cube stands left of the large blue cylinder, and two spheres lie behind them."


@final
class FixedReplies:
    """Players that say the same clue and vote for seats in turn, in so many random tokens.

    Args:
        tokens: of each reply.
        words: size of the vocabulary that they are drawn from.

    Attributes:
        asked: the requests of the last turn.
    """

    def __init__(self, tokens: int, words: int) -> None:
        self.tokens, self.words = tokens, words
        self.asked: Sequence[Request] = ()

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """One reply for each request; see :class:`vision_zero.game.interface.Players`."""
        self.asked = requests
        drawn = seed.child("fixed").generator().integers(self.words, size=(len(requests), self.tokens)).tolist()
        moves = [CLUE if request.kind == "clue" else str(place % 4 + 1) for place, request in enumerate(requests)]
        return [Reply(f"\\boxed{{{move}}}", tuple(tokens)) for move, tokens in zip(moves, drawn, strict=True)]
