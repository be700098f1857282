"""Held-out games: how well the policy votes on fixed clues, and how it fares against the frozen base on either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vision_zero.data.image_pair import ImagePair
from vision_zero.game.engine import deal_all, play
from vision_zero.game.interface import GameState, Players, Reply, Request
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Transcript, outcome
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed


@dataclass(frozen=True)
class Seated:
    """Players of different kinds at one table: the spy is played by one, everybody else by the other."""

    spy: Players
    others: Players

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """Each request goes to whoever sits there; see :class:`vision_zero.game.interface.Players`."""
        replies: dict[int, Reply] = {}
        for players, is_spy in ((self.spy, True), (self.others, False)):
            own = [number for number, request in enumerate(requests) if (request.role == "spy") == is_spy]
            if own:
                made = players.reply([requests[number] for number in own], seed.child("spy" if is_spy else "others"))
                replies.update(zip(own, made, strict=True))
        return [replies[number] for number in range(len(requests))]


@dataclass(frozen=True)
class BestGuess:
    """A policy that votes as it thinks likeliest. How votes are drawn in training is for learning; its clues are drawn alike."""

    policy: Policy

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """The seats of one turn all give clues, or all vote; see :class:`vision_zero.game.interface.Players`."""
        return replace(self.policy, greedy=requests[0].kind == "vote").reply(requests, seed)


def play_head_to_head(
    game: WhoIsTheSpy, pairs: Sequence[ImagePair], spy: Players, others: Players, seed: Seed
) -> list[GameState]:
    """One game a pair with these players; the same seed deals the same tables, whoever plays."""
    return play(game, deal_all(game, pairs, seed), Seated(spy, others), seed)


def vote_on(game: WhoIsTheSpy, tables: Sequence[GameState], voters: Players, seed: Seed) -> list[GameState]:
    """The same games with the same clues, and new votes."""
    before_vote = [replace(table, transcript=replace(table.transcript, moves=table.transcript.clue_moves)) for table in tables]
    return play(game, before_vote, voters, seed)


def vote_shares(transcripts: Sequence[Transcript]) -> dict[str, list[float]]:
    """For each game the shares of its votes that were right, N/A and unreadable."""
    results = [outcome(transcript) for transcript in transcripts]
    return {
        "accuracy": [result.right / result.ballots for result in results],
        "abstention": [result.abstained / result.ballots for result in results],
        "unreadable": [result.unreadable / result.ballots for result in results],
    }


def caught(transcripts: Sequence[Transcript]) -> list[float]:
    """1 for each game whose spy was caught, else 0."""
    return [float(outcome(transcript).is_spy_caught) for transcript in transcripts]
