"""What a source saw: how many files and things there are, which were used, which were skipped and why.

Every source fills one; it travels inside the pairs table to the verdict, the console and the pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import AliasChoices, Field

from vision_zero.config_base import Config

EXAMPLES = 3
"""Things that are named for each reason."""
_SUBJECT = re.compile(r"^(?:the (?:original|modified image)|(?:(?!: ).)*[./\\](?:(?!: ).)*): ", re.DOTALL)
_DETAIL = re.compile(r"(?:: | \(|, at least |, such as ).*", re.DOTALL)
_NUMBER = re.compile(r"\d[\d,.]*")


class SourceReport(Config):
    """What one source saw of its location.

    Attributes:
        things: what is counted.
        files: listed below the location.
        found: things there are, whole or not.
        incomplete: things of which the listing alone tells that they cannot be used.
        looks: of the other things, so many were read.
        failures: so many of these cannot be used.
        used: different things that pairs were made of.
        skipped: the reason for each thing that cannot be used, by its id.
        adjusted: what was done to a thing to make it usable, by its id.
        left_out: files and rows that were not looked at, by reason.
        drawn_again: edits that were tried and not taken, by reason: something else was drawn in their place.
        not_edited: things of which no edit looked possible when it was their turn, with the most frequent reason; others took it.
    """

    domain: str
    location: str
    things: str
    files: int = 0
    found: int = 0
    incomplete: int = 0
    looks: int = 0
    failures: int = 0
    used: int = 0
    skipped: dict[str, str] = Field(default_factory=dict, validation_alias=AliasChoices("skipped", "passed_over"))
    adjusted: dict[str, str] = Field(default_factory=dict)
    left_out: dict[str, int] = Field(default_factory=dict)
    drawn_again: dict[str, int] = Field(default_factory=dict)
    not_edited: dict[str, str] = Field(default_factory=dict)

    @property
    def lost_share(self) -> float:
        """Share of the things that cannot be used, estimated from those that were read."""
        if not self.found:
            return 0.0
        known = self.incomplete / self.found
        return known + (1 - known) * (self.failures / self.looks if self.looks else 0.0)

    def reasons(self) -> dict[str, list[str]]:
        """The ids of what was skipped, by kind of reason, the most frequent first."""
        found: dict[str, list[str]] = {}
        for name, reason in self.skipped.items():
            found.setdefault(kind_of(reason.removeprefix(f"{name}: ")), []).append(name)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))

    def headline(self) -> str:
        """The counts in one line."""
        counts = [f"{self.found} {self.things} in {self.files} files", f"{self.used} used"]
        if self.adjusted:
            counts.append(f"{len(self.adjusted)} adjusted")
        counts.append(f"{len(self.skipped)} skipped")
        if self.not_edited:
            counts.append(f"{len(self.not_edited)} without a possible edit")
        if self.drawn_again:
            counts.append(f"{sum(self.drawn_again.values())} edits drawn again")
        return f"{self.domain}: {self.location}: {', '.join(counts)}"

    def details(self) -> list[str]:
        """One line for each kind of reason, adjustment, and of what was left out."""
        lines = []
        for kind, names in self.reasons().items():
            shown = "; ".join(f"{name}: {self.skipped[name]}" for name in names[:EXAMPLES])
            lines.append(f"skipped {len(names)}: {kind} (for example {shown})")
        lines += [f"adjusted {count}: {kind}" for kind, count in Counter(map(kind_of, self.adjusted.values())).most_common()]
        lines += [f"left out {count}: {reason}" for reason, count in self.left_out.items()]
        lines += [f"without a possible edit {count}: {why}" for why, count in Counter(self.not_edited.values()).most_common()]
        again = Counter(self.drawn_again).most_common()
        return lines + [f"drawn again {count}: {reason}" for reason, count in again]

    def lines(self) -> list[str]:
        """Everything, for the console."""
        return [self.headline(), *self.details()]

    @property
    def is_worth_a_warning(self) -> bool:
        """Whether something was skipped, adjusted or left out, or had no possible edit, so that others took its place."""
        return bool(self.skipped or self.adjusted or self.left_out or self.not_edited)


def kind_of(reason: str) -> str:
    """A reason without its subject and details, so that many of one kind can be counted."""
    return _NUMBER.sub("…", _DETAIL.sub("", _SUBJECT.sub("", reason)))


def merged(reports: Iterable[SourceReport]) -> tuple[SourceReport, ...]:
    """One report for each source: several processes or splits may have read the same location."""
    found: dict[tuple[str, str], list[SourceReport]] = {}
    for report in reports:
        found.setdefault((report.domain, report.location), []).append(report)
    return tuple(_merged(own) for own in found.values())


def _merged(reports: Sequence[SourceReport]) -> SourceReport:
    first, *others = reports
    if not others:
        return first
    return first.model_copy(
        update={
            "looks": sum(report.looks for report in reports),
            "failures": sum(report.failures for report in reports),
            "used": max(report.used for report in reports),
            "skipped": {name: reason for report in reports for name, reason in report.skipped.items()},
            "adjusted": {name: what for report in reports for name, what in report.adjusted.items()},
            "not_edited": {name: reason for report in reports for name, reason in report.not_edited.items()},
            "drawn_again": dict(sum((Counter(report.drawn_again) for report in reports), Counter())),
        }
    )
