"""What validation found, as data: apart from the judging, so that reading a verdict does not load Great Expectations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config_base import Config
from vision_zero.data.image_pair import Outline
from vision_zero.data.source_report import SourceReport
from vision_zero.data.table import PairTable
from vision_zero.validation.artifact_probe import ProbeResult


class Expectation(Config):
    """One rule and how many pairs broke it; a rule about all pairs together is broken by none of them, and ``found`` says what
    was found instead."""

    rule: str
    broken_by: int
    holds: bool
    found: str = ""


class Quarantined(Config):
    """A pair that must not be played with, and why."""

    pair_id: str
    reasons: tuple[str, ...]


class ShownExample(Config):
    """A pair to look at: one of those whose edit is hardest to see, or a quarantined one.

    Attributes:
        note: why it was quarantined, or how little of it changed.
        changes: the change log in words.
        outlines: where the changes are.
        original, modified: small copies as data URIs; empty where the image cannot be read.
    """

    pair_id: str
    domain: str
    standing: Literal["worst", "quarantined"]
    note: str
    changes: tuple[str, ...] = ()
    outlines: tuple[Outline, ...] = ()
    original: str = ""
    modified: str = ""


class DomainVerdict(Config):
    """The pairs of one domain.

    Attributes:
        again: imported pairs among them that were drawn before.
        edits: how many logged changes there are of each kind.
        probe: how well single images can be told apart; None where it was not tried.
    """

    domain: str
    checked: int
    passed: int
    again: int = 0
    mean_changed_area: float = 0.0
    mean_similarity: float = 0.0
    edits: dict[str, int] = Field(default_factory=dict)
    probe: ProbeResult | None = None


class Verdict(Config):
    """What validation found. ``worst`` holds the ids of the passed pairs whose edit is hardest to see."""

    checked: int
    passed: int
    expectations: tuple[Expectation, ...]
    domains: tuple[DomainVerdict, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    worst: tuple[str, ...] = ()
    specimens: tuple[ShownExample, ...] = ()
    mean_changed_area: float = 0.0
    mean_similarity: float = 0.0
    reasons: dict[str, int] = Field(default_factory=dict)
    """Quarantined pairs by reason."""
    sources: tuple[SourceReport, ...] = ()
    """What the sources saw: what was found, used, skipped, and why."""

    def warnings(self) -> list[str]:
        """The rules about all pairs together that do not hold, each with what was found."""
        return [f"{rule.rule}: {rule.found}" for rule in self.expectations if rule.found and not rule.holds]


def quarantine(table: PairTable, verdict: Verdict) -> tuple[PairTable, PairTable]:
    """The pairs to play with, and the others."""
    failing = [entry.pair_id for entry in verdict.quarantined]
    return table.without(failing), table.only(failing)
