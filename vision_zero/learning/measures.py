"""What is measured of an iteration's games and replies, by name: the numbers behind curves, cards and alarms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from vision_zero.config.rewards import RewardsConfig
from vision_zero.game.transcript import Move, Transcript, outcome
from vision_zero.rewards.clue import clue_rewards

EQUAL = 1e-12
"""Rewards nearer than this are equal: they differ by the rounding of sums only."""


def game_measures(transcripts: Sequence[Transcript], rewards: RewardsConfig) -> dict[str, float]:
    """Rewards by role, how often the spy was caught, and how the players spoke.

    Returns:
        ``reward/spy``, ``reward/civilian``: mean clue reward of a game; ``caught``: share of games; ``clue/zero_variance``:
        share of games in which every seat earned the same; and the measures of :func:`reply_measures` for the clues of each
        role and for votes.
    """
    if not transcripts:
        return {}
    totals = [{seat: sum(terms.values()) for seat, terms in clue_rewards(game, rewards).items()} for game in transcripts]
    measures = {
        "reward/spy": fmean(total[game.spy] for game, total in zip(transcripts, totals, strict=True)),
        "reward/civilian": fmean(
            fmean(total[seat] for seat in game.civilians) for game, total in zip(transcripts, totals, strict=True)
        ),
        "caught": fmean(outcome(game).is_spy_caught for game in transcripts),
        "clue/zero_variance": fmean(max(total.values()) - min(total.values()) < EQUAL for total in totals),
    }
    moves = [move for game in transcripts for move in game.moves]
    for role in ("spy", "civilian"):
        measures |= reply_measures(f"clue/{role}", (move for move in moves if move.kind == "clue" and move.role == role))
    return measures | reply_measures("vote", (move for move in moves if move.kind == "vote"))


def reply_measures(prefix: str, moves: Iterable[Move]) -> dict[str, float]:
    """``<prefix>/tokens``: mean length; ``<prefix>/unreadable/<reason>``: share of moves that held nothing, by reason."""
    listed = list(moves)
    if not listed:
        return {}
    measures = {f"{prefix}/tokens": fmean(move.tokens for move in listed)}
    for reason in sorted({move.unreadable for move in listed if move.unreadable}):
        measures[f"{prefix}/unreadable/{reason}"] = fmean(move.unreadable == reason for move in listed)
    return measures
