"""Keeping training and held-out pairs apart where pairs are made of something finite: photos, tables, existing pairs.

Seeds alone cannot do that: two crops of one photo are different images of the same content. So every source item is assigned to
one of the two splits by a key: of an image's content (:mod:`~vision_zero.data.image_identity`), so that a copy under another
name, in another format or at another size is assigned to the same split; of a table's file name. Adding items moves no others.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "held_out"]

_BITS = 64
_SALT = b"division 6"
"""With this one, two of the seven photos that ship with dependencies are held out."""


@dataclass(frozen=True, slots=True)
class SplitFilter:
    """The things that pairs of a split may be made of.

    Attributes:
        split: whose; None for everything.
        share: of the things, belong to the held-out split.
    """

    split: Split | None = None
    share: float = 0.2

    def holds(self, key: bytes) -> bool:
        """Does the thing of that content belong to this part?"""
        return self.split is None or (_place(key) < self.share) == (self.split == "held_out")

    def choose(self, keys: Sequence[bytes]) -> list[bool]:
        """Which of these things, all that there are, belong to this part.

        Where one of the splits would get none, it gets the thing whose hash lies nearest to its side. Of a single thing, each
        split gets the same one: nothing else is left, and validation says so.
        """
        if self.split is None or len(set(keys)) < 2:
            return [True] * len(keys)
        places = [_place(key) for key in keys]
        border = self.share
        if min(places) >= border:
            border = math.nextafter(min(places), 1.0)
        elif max(places) < border:
            border = max(places)
        return [(place < border) == (self.split == "held_out") for place in places]


EVERYTHING = SplitFilter()


def _place(key: bytes) -> float:
    """Where in [0, 1) the content's hash lies."""
    digest = hashlib.blake2b(key, digest_size=_BITS // 8, person=_SALT).digest()
    return int.from_bytes(digest, "big") / 2**_BITS
