"""Statistics of each role's replies in a run: length, KL, entropy, unreadable replies, and groups with equal rewards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from vision_zero.config.learning import Stage
from vision_zero.training.state import IterationRecord

KINDS: tuple[tuple[str, str, Stage], ...] = (
    ("the spy's clues", "clue/spy", "clue"),
    ("civilians' clues", "clue/civilian", "clue"),
    ("votes", "vote", "decision"),
)
"""Kinds of replies: name, beginning of their metrics, and the stage that trains them."""


@dataclass(frozen=True)
class Replies:
    """Means of one kind of reply over the iterations that measured it; None if none did.

    Attributes:
        who: name of the kind.
        tokens, words: mean length.
        reasoned: share of reasoned replies; None also if the policy's reasoning prefix is not known.
        kl: KL to the base, per token.
        entropy: nats per token.
        unreadable: share of replies without a readable move.
        zero_variance: share of groups with equal rewards: votes of a prompt, clues of a game.
    """

    who: str
    tokens: float | None
    words: float | None
    reasoned: float | None
    kl: float | None
    entropy: float | None
    unreadable: float | None
    zero_variance: float | None


def replies_by_role(records: Sequence[IterationRecord]) -> list[Replies]:
    """Statistics of the clues of each role, and of votes; kinds that were not measured are left out."""
    rows = []
    for who, prefix, stage in KINDS:
        trained = [record for record in records if record.stage == stage]
        # Votes are trained only in the decision stage, where the trainer's own metrics are theirs.
        own = "" if stage == "decision" else f"{prefix}/"
        row = Replies(
            who=who,
            tokens=_mean(records, f"{prefix}/tokens"),
            words=_mean(records, f"{prefix}/words"),
            reasoned=_mean(records, f"{prefix}/reasoned"),
            kl=_mean(trained, f"{own}kl"),
            entropy=_mean(trained, f"{own}entropy"),
            unreadable=unreadable_share(records, prefix),
            zero_variance=_mean(trained, "zero_variance"),
        )
        rows += [row] if row.tokens is not None else []
    return rows


def unreadable_share(records: Sequence[IterationRecord], prefix: str) -> float | None:
    """Share of unreadable replies of that kind, for all reasons together."""
    shares = [
        sum(value for name, value in record.metrics.items() if name.startswith(f"{prefix}/unreadable/"))
        for record in records
        if f"{prefix}/tokens" in record.metrics
    ]
    return fmean(shares) if shares else None


def _mean(records: Sequence[IterationRecord], name: str) -> float | None:
    values = [record.metrics[name] for record in records if name in record.metrics]
    return fmean(values) if values else None
