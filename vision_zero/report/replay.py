"""The replay page: games with the two images, every clue with its reasoning, the votes and the rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.image_pair import ImagePair, Outline, outlines
from vision_zero.data.images import data_uri
from vision_zero.domains.registry import has_scene_graph
from vision_zero.domains.scenes.statements import parse
from vision_zero.game.transcript import JUDGE, Move, Outcome, Transcript, outcome
from vision_zero.report.pages import render_page
from vision_zero.rewards.clue import clue_totals
from vision_zero.rewards.decision import vote_reward


@dataclass(frozen=True)
class ShownMove:
    """A move with its evaluation: whether a clue is true of its speaker's image, whether a vote is right, and its reward."""

    move: Move
    who: str
    judgement: str
    reward: float | None


@dataclass(frozen=True)
class ShownGame:
    """A game as the page shows it."""

    transcript: Transcript
    original: str
    modified: str
    outlines: list[Outline]
    changes: list[str]
    clues: list[ShownMove]
    votes: list[ShownMove]
    totals: list[tuple[int, bool, float]]
    outcome: Outcome


def replay_page(title: str, transcripts: Sequence[Transcript], pairs: Mapping[str, ImagePair], rewards: RewardsConfig) -> str:
    """The page of some games; ``pairs`` has the pair of every transcript, by id."""
    games = [_shown(transcript, pairs[transcript.pair_id], rewards) for transcript in transcripts]
    return render_page("replay.html.j2", title=title, games=games)


def _shown(transcript: Transcript, pair: ImagePair, rewards: RewardsConfig) -> ShownGame:
    earned = clue_totals(transcript, rewards)
    totals = [(seat, seat == transcript.spy, earned[seat]) for seat in range(1, transcript.players + 1)]
    return ShownGame(
        transcript=transcript,
        original=data_uri(pair.original),
        modified=data_uri(pair.modified),
        outlines=outlines(pair),
        changes=[change.sentence() for change in pair.changes],
        clues=[_clue(move, transcript, pair) for move in transcript.clue_moves],
        votes=[_vote(move, transcript, rewards) for move in transcript.votes],
        totals=totals,
        outcome=outcome(transcript),
    )


def _clue(move: Move, transcript: Transcript, pair: ImagePair) -> ShownMove:
    judgement = ""
    if has_scene_graph(pair) and move.clue:
        statement = parse(move.clue)
        facts = (pair.modified_facts, pair.original_facts) if move.seat == transcript.spy else (pair.original_facts,) * 2
        if statement is None:
            judgement = "cannot be checked"
        elif not statement.holds(facts[0]):
            judgement = "false"
        else:
            judgement = "true" if statement.holds(facts[1]) else "true, but not of the civilians' image"
    return ShownMove(move, f"player {move.seat}", judgement, None)


def _vote(move: Move, transcript: Transcript, rewards: RewardsConfig) -> ShownMove:
    # Under a scoring rule the reward depends on the probability of the vote, which a transcript does not store.
    reward = None if rewards.vote == "brier" else vote_reward(move.ballot, transcript.spy, rewards)
    judgement = "right" if move.vote == transcript.spy else "N/A" if move.is_abstention else "wrong"
    return ShownMove(move, "the judge" if move.seat == JUDGE else f"player {move.seat}", judgement, reward)
