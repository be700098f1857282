"""What every domain makes: two images that differ in a few details, and the log of those details."""

from __future__ import annotations

import json
from dataclasses import dataclass

from PIL import Image

Facts = dict[str, object]
"""What is known of an image beside its pixels, as JSON data: a CLEVR scene, a chart's table, a photo's origin."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the two images, in words and in place.

    Attributes:
        kind: the edit's name, for example ``recolor_reshape``.
        before: what the original shows there ("large red metal cube"); empty where something was added.
        after: what the modified image shows there; empty where something was removed.
        box: the changed region as (left, top, right, bottom) in pixels, right and bottom exclusive.
    """

    kind: str
    before: str
    after: str
    box: tuple[int, int, int, int]

    def sentence(self) -> str:
        """The change as a person would say it."""
        if self.before and self.before == self.after:
            return f"{self.before} was moved" if self.kind == "move" else f"{self.before} looks different"
        return changed(self.before, self.after)


def changed(before: str, after: str) -> str:
    """What became of a thing, in words; ``before`` is empty for one that was added, ``after`` for one that was removed."""
    if not before:
        return f"{after} was added"
    return f"{before} became {after}" if after else f"{before} was removed"


@dataclass(frozen=True, slots=True)
class ImagePair:
    """An original, its modified copy of the same size (both RGB), and how they differ.

    ``pair_id`` names the pair in tables, transcripts and reports; ``facts`` are JSON-able and may be empty.
    """

    pair_id: str
    domain: str
    original: Image.Image
    modified: Image.Image
    changes: tuple[Change, ...]
    original_facts: Facts
    modified_facts: Facts

    def facts_json(self) -> tuple[str, str]:
        """Both facts as compact JSON with sorted keys: the same facts are the same text."""
        original, modified = (
            json.dumps(facts, sort_keys=True, separators=(",", ":")) for facts in (self.original_facts, self.modified_facts)
        )
        return original, modified


@dataclass(frozen=True)
class Outline:
    """A changed region in per cent of the image's width and height, for CSS."""

    left: float
    top: float
    width: float
    height: float


def outlines(pair: ImagePair) -> list[Outline]:
    """The changed regions of a pair."""
    width, height = pair.original.size
    found = []
    for change in pair.changes:
        left, top, right, bottom = change.box
        found.append(Outline(100 * left / width, 100 * top / height, 100 * (right - left) / width, 100 * (bottom - top) / height))
    return found
