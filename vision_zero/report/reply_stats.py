"""How each role replied in a run: length, KL, entropy, what could not be read, and groups that taught nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from vision_zero.training.state import IterationRecord


@dataclass(frozen=True)
class Replies:
    """One kind of reply, as means over the iterations that measured it; None where none did.

    Attributes:
        who: the kind in words.
        tokens, words: length.
        reasoned: share of replies that give reasons; None also where nobody knows how such replies of the policy begin.
        kl: KL to the base, per token.
        entropy: nats per token.
        unreadable: share of replies that held no move.
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
    """The clues of each role, and votes; kinds that were not measured are left out."""
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
    # Votes are trained in the decision stage alone, where the trainer's own measures are theirs.
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
    """Share of replies of that kind that held no move, for all reasons together."""
    shares = [
        sum(value for name, value in record.metrics.items() if name.startswith(f"{prefix}/unreadable/"))
        for record in records
        if f"{prefix}/tokens" in record.metrics
    ]
    return fmean(shares) if shares else None


def _mean(records: Sequence[IterationRecord], name: str) -> float | None:
    values = [record.metrics[name] for record in records if name in record.metrics]
    return fmean(values) if values else None
