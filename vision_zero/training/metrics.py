"""Metrics of an iteration's games and replies by name; curves, metadata and diagnostics are made from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from vision_zero.config.rewards import RewardsConfig
from vision_zero.evaluation.written_checks import is_reasoned
from vision_zero.game.transcript import Move, Transcript, outcome
from vision_zero.rewards.clue import clue_totals
from vision_zero.training.state import IterationRecord

EQUAL = 1e-12
"""Rewards nearer than this are equal: they differ by the rounding of sums only."""


def game_metrics(transcripts: Sequence[Transcript], rewards: RewardsConfig, opener: str | None = None) -> dict[str, float]:
    """Rewards by role, the rate at which the spy is caught, and reply metrics.

    Args:
        opener: as for :func:`reply_metrics`.

    Returns:
        ``reward/spy``, ``reward/civilian``: mean clue reward of a game; ``caught``: share of games; ``clue/zero_variance``:
        share of games in which all seats have the same reward; and the metrics of :func:`reply_metrics` for the clues of each
        role and for votes.
    """
    if not transcripts:
        return {}
    totals = [clue_totals(game, rewards) for game in transcripts]
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
        clues = (move for move in moves if move.kind == "clue" and move.role == role)
        measures |= reply_metrics(f"clue/{role}", clues, opener)
    return measures | reply_metrics("vote", (move for move in moves if move.kind == "vote"), opener)


def reply_metrics(prefix: str, moves: Iterable[Move], opener: str | None = None) -> dict[str, float]:
    """Lengths, reasoning and unreadable replies of moves.

    Args:
        prefix: of the metrics' names.
        opener: the prefix of reasoned replies; None if unknown, and then their share is not measured.

    Returns:
        ``<prefix>/tokens``, ``<prefix>/words``: mean lengths; ``<prefix>/reasoned``: share of reasoned replies;
        ``<prefix>/unreadable/<reason>``: share of unreadable moves, by reason.
    """
    listed = list(moves)
    if not listed:
        return {}
    measures = {
        f"{prefix}/tokens": fmean(move.tokens for move in listed),
        f"{prefix}/words": fmean(len(move.reply.split()) for move in listed),
    }
    if opener is not None:
        measures[f"{prefix}/reasoned"] = fmean(is_reasoned(move.reply, opener) for move in listed)
    for reason in sorted({move.unreadable for move in listed if move.unreadable}):
        measures[f"{prefix}/unreadable/{reason}"] = fmean(move.unreadable == reason for move in listed)
    return measures


def phases(records: Sequence[IterationRecord]) -> list[tuple[str, float]]:
    """Mean seconds per phase of an iteration."""
    prefix = "seconds/"
    return [(name.removeprefix(prefix), mean) for name, mean in _means(records) if name.startswith(prefix)]


def failures(records: Sequence[IterationRecord]) -> list[tuple[str, float]]:
    """Mean share of unreadable replies by role and reason."""
    return [(name, mean) for name, mean in _means(records) if "/unreadable/" in name]


def _means(records: Sequence[IterationRecord]) -> list[tuple[str, float]]:
    """Mean of every metric by name; a missing value counts as 0."""
    names = sorted({name for record in records for name in record.metrics})
    return [(name, fmean(record.metrics.get(name, 0.0) for record in records)) for name in names]
