"""Statistics of each role's replies in a run: length, KL, entropy, unreadable replies, and groups with equal rewards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from vision_zero.training.state import IterationRecord


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
    clue = [record for record in records if record.stage == "clue"]
    decision = [record for record in records if record.stage == "decision"]
    rows = [
        Replies(
            who,
            _mean(records, f"{prefix}/tokens"),
            _mean(records, f"{prefix}/words"),
            _mean(records, f"{prefix}/reasoned"),
            _mean(clue, f"{prefix}/kl"),
            _mean(clue, f"{prefix}/entropy"),
            unreadable_share(records, prefix),
            _mean(clue, "zero_variance"),
        )
        for who, prefix in (("the spy's clues", "clue/spy"), ("civilians' clues", "clue/civilian"))
    ]
    # Votes are trained only in the decision stage, where the trainer's own metrics are theirs.
    votes = Replies(
        "votes",
        _mean(records, "vote/tokens"),
        _mean(records, "vote/words"),
        _mean(records, "vote/reasoned"),
        _mean(decision, "kl"),
        _mean(decision, "entropy"),
        unreadable_share(records, "vote"),
        _mean(decision, "zero_variance"),
    )
    return [row for row in (*rows, votes) if row.tokens is not None]


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
