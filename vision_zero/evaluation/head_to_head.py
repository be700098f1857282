"""Held-out games: votes of a policy on fixed clues, and games against the frozen base from both sides."""

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
    """Two players in one game: one plays the spy, the other all civilians."""

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
    """A policy that votes greedily and samples clues: the sampling of votes is a setting of training, not of evaluation."""

    policy: Policy

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """The seats of one turn all give clues, or all vote; see :class:`vision_zero.game.interface.Players`."""
        return replace(self.policy, greedy=requests[0].kind == "vote").reply(requests, seed)


def play_head_to_head(
    game: WhoIsTheSpy, pairs: Sequence[ImagePair], spy: Players, others: Players, seed: Seed
) -> list[GameState]:
    """One game per pair; the same seed gives the same games whoever plays."""
    return play(game, deal_all(game, pairs, seed), Seated(spy, others), seed)


def play_both_sides(
    game: WhoIsTheSpy, pairs: Sequence[ImagePair], player: Players, opponent: Players, seed: Seed
) -> tuple[list[GameState], list[GameState]]:
    """Two games per pair: with the player as all civilians, and as the spy."""
    return play_head_to_head(game, pairs, opponent, player, seed), play_head_to_head(game, pairs, player, opponent, seed)


def vote_on(game: WhoIsTheSpy, states: Sequence[GameState], voters: Players, seed: Seed) -> list[GameState]:
    """New votes on the clues of these games."""
    before_vote = [replace(state, transcript=replace(state.transcript, moves=state.transcript.clue_moves)) for state in states]
    return play(game, before_vote, voters, seed)


def games_of(states: Sequence[GameState]) -> list[Transcript]:
    """The transcripts of these games."""
    return [state.transcript for state in states]


def vote_shares(transcripts: Sequence[Transcript]) -> dict[str, list[float]]:
    """Per game the shares of right, N/A and unreadable votes."""
    results = [outcome(transcript) for transcript in transcripts]
    return {
        "accuracy": [result.right / result.ballots for result in results],
        "abstention": [result.abstained / result.ballots for result in results],
        "unreadable": [result.unreadable / result.ballots for result in results],
    }


def caught(transcripts: Sequence[Transcript]) -> list[float]:
    """Per game 1 if the spy was caught, else 0."""
    return [float(outcome(transcript).is_spy_caught) for transcript in transcripts]


def half_each(caught_as_civilians: Sequence[float], caught_as_spy: Sequence[float]) -> list[float]:
    """Wins by pair over the two sides, which weigh the same: as civilians by catching the spy, as the spy by not being caught."""
    return [(civil + 1 - spy) / 2 for civil, spy in zip(caught_as_civilians, caught_as_spy, strict=True)]
