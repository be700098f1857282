"""The transcript of a game: every prompt, reply, clue and vote, without the images.

Rewards, replays, diagnostics and metrics are functions of transcripts, so a saved run can be scored again with other weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, Self

from vision_zero.game.parsing import Reason, Unreadable, Vote
from vision_zero.game.prompts import Role, SpokenClue

MoveKind = Literal["clue", "vote"]
JUDGE = 0
"""The judge's seat; players sit at 1, 2, …"""


@dataclass(frozen=True, slots=True)
class Move:
    """One reply and what was parsed from it.

    Attributes:
        seat: of the player, from 1; ``JUDGE`` for the judge.
        round: the clue round from 1; 0 for votes.
        prompt: the text that the seat was given with its image.
        reply: the unparsed reply.
        reasoning: the private part of the reply.
        clue: the public sentence; empty for votes and for unreadable clues.
        vote: the seat that was voted for; None for N/A, for clues, and for unreadable votes.
        unreadable: why no move could be parsed from the reply; None if one was.
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
        """The parsed vote."""
        return Vote(self.vote) if self.unreadable is None else Unreadable(self.unreadable)


@dataclass(frozen=True, slots=True)
class Transcript:
    """One game. ``moves`` are in the order in which they were made."""

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
        """All readable clues in order, as the other seats see them."""
        return tuple(SpokenClue(move.round, move.seat, move.clue) for move in self.clue_moves if move.clue)

    def votes_for(self) -> Counter[int]:
        """Votes received by seat; N/A and unreadable votes count for no seat."""
        return Counter(move.vote for move in self.votes if move.vote is not None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a finished game, without rewards.

    Attributes:
        is_spy_caught: the spy has strictly more votes than any other seat.
        right, wrong, abstained, unreadable: numbers of votes.
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
    """Count the votes of a finished game."""
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
    """Shares of some votes, all 0 without any; ``abstention`` counts readable N/A votes only."""

    votes: int
    accuracy: float
    abstention: float
    unreadable: float

    @classmethod
    def of(cls, ballots: Iterable[tuple[Move, int]]) -> Self:
        """acc_t and na_t of votes, each with the spy's seat."""
        cast = list(ballots)
        if not cast:
            return cls(0, 0.0, 0.0, 0.0)
        return cls(
            votes=len(cast),
            accuracy=fmean(move.vote == spy for move, spy in cast),
            abstention=fmean(move.is_abstention for move, _ in cast),
            unreadable=fmean(move.unreadable is not None for move, _ in cast),
        )


def vote_rates(transcripts: Iterable[Transcript]) -> VoteRates:
    """acc_t and na_t of an iteration, the input of :func:`vision_zero.training.controller.advance`."""
    return VoteRates.of((move, game.spy) for game in transcripts for move in game.votes)
