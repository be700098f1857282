"""Where a pair's changes are, as shares of the picture: for pages that show it at any size."""

from __future__ import annotations

from dataclasses import dataclass

from vision_zero.data.image_pair import ImagePair


@dataclass(frozen=True)
class Outline:
    """A changed region in per cent of the picture's width and height, for CSS."""

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
