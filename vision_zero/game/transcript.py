"""The record of a game: everything that was asked, said and voted, and none of the pixels.

Rewards, replays, alarms and statistics are functions of transcripts, so a saved run can be scored again with other weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vision_zero.game.parsing import Reason, Unreadable, Vote
from vision_zero.game.prompts import Role, SpokenClue

MoveKind = Literal["clue", "vote"]
JUDGE = 0
"""The judge's seat; players sit at 1, 2, …"""


@dataclass(frozen=True, slots=True)
class Move:
    """One reply and how it was read.

    Attributes:
        seat: who spoke; ``JUDGE`` for the judge.
        round: the clue round from 1; 0 for votes.
        prompt: the text that the seat was shown beside its picture.
        reply: the model's words, as they came.
        reasoning: the private part of the reply.
        clue: the public sentence; empty for votes and for unreadable clues.
        vote: the seat that was voted for; None for N/A, for clues, and for unreadable votes.
        unreadable: why the reply holds no move; None if it holds one.
        tokens: length of the reply in tokens.
    """

    seat: int
    role: Role
    kind: MoveKind
    round: int
    prompt: str
    reply: str
    reasoning: str
    clue: str = ""
    vote: int | None = None
    unreadable: Reason | None = None
    tokens: int = 0

    @property
    def is_abstention(self) -> bool:
        """Is this a readable vote for nobody?"""
        return self.kind == "vote" and self.vote is None and self.unreadable is None

    @property
    def ballot(self) -> Vote | Unreadable:
        """A vote as it was read."""
        return Vote(self.vote) if self.unreadable is None else Unreadable(self.unreadable)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A game from the deal to the last vote."""

    game_id: str
    pair_id: str
    players: int
    spy: int
    moves: tuple[Move, ...] = ()

    @property
    def civilians(self) -> tuple[int, ...]:
        """The civilians' seats, in order."""
        return tuple(seat for seat in range(1, self.players + 1) if seat != self.spy)

    @property
    def votes(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.kind == "vote")

    @property
    def clue_moves(self) -> tuple[Move, ...]:
        return tuple(move for move in self.moves if move.kind == "clue")

    def heard(self) -> tuple[SpokenClue, ...]:
        """The clues that everybody heard, in the order in which they were said."""
        return tuple(SpokenClue(move.round, move.seat, move.clue) for move in self.clue_moves if move.clue)

    def votes_for(self) -> Counter[int]:
        """Votes by seat; abstentions and unreadable votes go to nobody."""
        return Counter(move.vote for move in self.votes if move.vote is not None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Facts about a finished game; what they are worth is the rewards' business.

    Attributes:
        is_spy_caught: the spy has more votes than any other seat; a tie lets the spy go.
        right, wrong, abstained, unreadable: how many votes were each.
    """

    is_spy_caught: bool
    right: int
    wrong: int
    abstained: int
    unreadable: int

    @property
    def ballots(self) -> int:
        return self.right + self.wrong + self.abstained + self.unreadable


def outcome(transcript: Transcript) -> Outcome:
    """What came of the game."""
    votes = transcript.votes
    counts = transcript.votes_for()
    most_others = max((number for seat, number in counts.items() if seat != transcript.spy), default=0)
    right = sum(move.vote == transcript.spy for move in votes)
    abstained = sum(move.is_abstention for move in votes)
    unreadable = sum(move.unreadable is not None for move in votes)
    return Outcome(
        is_spy_caught=counts[transcript.spy] > most_others,
        right=right,
        wrong=len(votes) - right - abstained - unreadable,
        abstained=abstained,
        unreadable=unreadable,
    )


@dataclass(frozen=True, slots=True)
class VoteRates:
    """Shares of all votes of many games; N/A counts readable abstentions only."""

    votes: int
    accuracy: float
    abstention: float
    unreadable: float


def vote_rates(transcripts: Iterable[Transcript]) -> VoteRates:
    """The iteration's acc_t and na_t that the stage controller reads (DESIGN: stage switch)."""
    outcomes = [outcome(transcript) for transcript in transcripts]
    total = sum(result.ballots for result in outcomes)
    if not total:
        return VoteRates(0, 0.0, 0.0, 0.0)
    return VoteRates(
        votes=total,
        accuracy=sum(result.right for result in outcomes) / total,
        abstention=sum(result.abstained for result in outcomes) / total,
        unreadable=sum(result.unreadable for result in outcomes) / total,
    )
