"""An order for pairs of one domain, as the command line takes it: whatever the domain, in the same few words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vision_zero.errors import PairsError
from vision_zero.randomness import HELD_OUT_SEEDS

USUAL_SIZE = (320, 240)


@dataclass(frozen=True)
class Order:
    """Which pairs to make.

    Attributes:
        size: width and height in pixels; None for 320x240, or for the size that existing images have.
        location: of ChartQA, photos, single images or pairs; None for procedural charts, and the photos in dependencies.
        edits: kinds of edit, with equal frequency; empty for the source's default.
        changes: number of objects that an edit changes; None for the source's default.
        reading: further settings for reading files, as in the domain's configuration.

    Raises:
        PairsError: the seed is reserved for suites.
    """

    domain: str
    count: int = 8
    size: tuple[int, int] | None = None
    seed: int = 0
    location: str | None = None
    edits: tuple[str, ...] = ()
    changes: int | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seed >= HELD_OUT_SEEDS.start:
            raise PairsError(
                f"seed {self.seed} is reserved for suites, whose images must not be used elsewhere: take one below "
                f"{HELD_OUT_SEEDS.start}"
            )

    @property
    def given_size(self) -> dict[str, int]:
        """Settings ``width`` and ``height``, where a size is asked for."""
        return {} if self.size is None else dict(zip(("width", "height"), self.size, strict=True))

    @property
    def drawing(self) -> dict[str, Any]:
        """Settings of the size, which is the usual one where none is asked for, and of the edits."""
        found: dict[str, Any] = dict(zip(("width", "height"), self.size or USUAL_SIZE, strict=True))
        if self.edits:
            found["edits"] = dict.fromkeys(self.edits, 1.0)
        if self.changes is not None:
            found |= {"min_changes": self.changes, "max_changes": self.changes}
        return found

    def refuse_editing(self, things: str) -> None:
        """Of a domain whose ``things`` are taken as they are.

        Raises:
            PairsError: edits are asked for.
        """
        if self.edits or self.changes is not None:
            raise PairsError(f"{things} are not edited: leave out --edit and --changes")

    def refuse_reading(self) -> None:
        """Of a domain whose files, if it has any, are all read in one way.

        Raises:
            PairsError: settings of reading are given.
        """
        if self.reading:
            given = ", ".join(f"--{name.replace('_', '-')}" for name in self.reading)
            raise PairsError(f"{self.domain} have no choice of how files are read: leave out {given}")
