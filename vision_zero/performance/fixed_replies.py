"""Training on replies that are there: players whose replies have a fixed length, and stages that let them play.

The update of a random model is the same work as that of a good one, if replies are as long; drawing them would take longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from vision_zero.game.interface import Reply, Request
from vision_zero.game.transcript import Transcript
from vision_zero.policy.chats import user_message
from vision_zero.randomness import Seed
from vision_zero.training.clue_stage import ClueLoop
from vision_zero.training.decision_stage import DecisionLoop
from vision_zero.training.loop import ScoredGames, StageLoop
from vision_zero.training.updates import Turn

CLUE = "The small red cube stands left of the large blue cylinder, and two spheres lie behind them."


@final
class FixedReplies:
    """Players that say the same clue and vote for seats in turn, in so many random tokens.

    Args:
        tokens: of each reply.
        words: size of the vocabulary that they are drawn from.
    """

    def __init__(self, tokens: int, words: int) -> None:
        self.tokens, self.words = tokens, words

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """One reply for each request; see :class:`vision_zero.game.interface.Players`."""
        drawn = seed.child("fixed").generator().integers(self.words, size=(len(requests), self.tokens)).tolist()
        moves = [CLUE if request.kind == "clue" else str(place % 4 + 1) for place, request in enumerate(requests)]
        return [Reply(f"\\boxed{{{move}}}", tuple(tokens)) for move, tokens in zip(moves, drawn, strict=True)]


class _Fixed(StageLoop):
    """What both stages have in common.

    Attributes:
        replies: who plays.
        turns: that were trained last.
    """

    replies: FixedReplies
    turns: Sequence[Turn] = ()

    def player(self) -> Any:
        """Those players, in place of the policy."""
        return self.replies

    def score(self, games: Sequence[Transcript], turns: Sequence[Turn]) -> ScoredGames:
        """As the stage does; the turns are kept."""
        self.turns = turns
        return super().score(games, turns)  # type: ignore[safe-super]

    @property
    def longest_prompt(self) -> int:
        """Tokens of the longest prompt that was trained last."""
        chats = [user_message(request.prompt, request.image) for request, _ in self.turns]
        longest = max(chats, key=lambda chat: len(chat[0]["content"][-1]["text"]))
        return int(self.trained_policy().encode([longest])["input_ids"].shape[1])


@final
class FixedClueLoop(_Fixed, ClueLoop):
    """The clue stage on fixed replies."""


@final
class FixedDecisionLoop(_Fixed, DecisionLoop):
    """The decision stage on fixed replies."""
