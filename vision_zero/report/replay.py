"""The replay page: games with the two images, every clue with its reasoning, the votes and the rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.image_pair import ImagePair, outlines
from vision_zero.data.images import data_uri
from vision_zero.domains.registry import has_scene_graph
from vision_zero.domains.scenes.statements import parse
from vision_zero.game.transcript import Move, Transcript, outcome
from vision_zero.report.pages import render_page
from vision_zero.rewards.clue import clue_totals
from vision_zero.rewards.decision import vote_reward


def replay_page(title: str, transcripts: Sequence[Transcript], pairs: Mapping[str, ImagePair], rewards: RewardsConfig) -> str:
    """The page of some games; ``pairs`` has the pair of every transcript, by id."""
    games = [_shown(transcript, pairs[transcript.pair_id], rewards) for transcript in transcripts]
    return render_page("replay.html.j2", title=title, games=games)


def _shown(transcript: Transcript, pair: ImagePair, rewards: RewardsConfig) -> dict[str, Any]:
    earned = clue_totals(transcript, rewards)
    return {
        "transcript": transcript,
        "original": data_uri(pair.original),
        "modified": data_uri(pair.modified),
        "outlines": outlines(pair),
        "changes": [change.sentence() for change in pair.changes],
        "clues": [(move, _truth(move, transcript, pair)) for move in transcript.clue_moves],
        "votes": [(move, *_judged(move, transcript, rewards)) for move in transcript.votes],
        "totals": [(seat, seat == transcript.spy, earned[seat]) for seat in range(1, transcript.players + 1)],
        "outcome": outcome(transcript),
    }


def _truth(move: Move, transcript: Transcript, pair: ImagePair) -> str:
    """Whether a clue is true of its speaker's image; nothing where that is not known."""
    if not (has_scene_graph(pair) and move.clue):
        return ""
    statement = parse(move.clue)
    if statement is None:
        return "cannot be checked"
    if not statement.holds(pair.modified_facts if move.seat == transcript.spy else pair.original_facts):
        return "false"
    return "true" if statement.holds(pair.original_facts) else "true, but not of the civilians' image"


def _judged(move: Move, transcript: Transcript, rewards: RewardsConfig) -> tuple[str, float | None]:
    """Whether a vote is right, and its reward."""
    # Under a scoring rule the reward depends on the probability of the vote, which a transcript does not store.
    reward = None if rewards.vote == "brier" else vote_reward(move.ballot, transcript.spy, rewards)
    return "right" if move.vote == transcript.spy else "N/A" if move.is_abstention else "wrong", reward
