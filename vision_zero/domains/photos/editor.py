"""The interface of all photo editors: a photo in, an edited copy and the log of its changes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vision_zero.data.image_pair import Change, Facts
from vision_zero.randomness import Seed

Borrow = Callable[[np.random.Generator], Image.Image]
"""Gives another photo of the same size."""


@dataclass(frozen=True)
class EditedPhoto:
    """What an editor made.

    Attributes:
        original: RGB, of the photo's size: the photo, unless an edit is that something of it became visible.
        picture: its edited copy.
        changes: what is different; every pixel that differs lies in one of the boxes.
        regions: what the editor saw in the original, as JSON data.
        edits: how each change was made, as JSON data, in the changes' order.
    """

    original: Image.Image
    picture: Image.Image
    changes: tuple[Change, ...]
    regions: tuple[Facts, ...]
    edits: tuple[Facts, ...]


class PhotoEditor(ABC):
    """Edits photos. Subclasses are final."""

    @abstractmethod
    def edit(self, photo: Image.Image, borrow: Borrow, seed: Seed, insists: bool = False) -> EditedPhoto | None:
        """An edited copy of an RGB photo; None where this photo cannot be edited. The same arguments give the same copy.

        Args:
            seed: where all choices come from; which kind of edit it should be does not depend on the photo.
            insists: rather no copy than another kind of edit than that: there are other photos.
        """
