"""The interface of all photo editors: a photo in, an edited copy and the log of its changes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass

from PIL import Image

from vision_zero.data.image_pair import Change, Facts
from vision_zero.randomness import Seed


@dataclass(frozen=True)
class EditedPhoto:
    """What an editor made.

    Attributes:
        image: the photo's edited copy, RGB, of its size.
        changes: what is different; every pixel that differs lies in one of the boxes.
        regions: what the editor saw in the original, as JSON data.
        edits: how each change was made, as JSON data, in the changes' order.
    """

    image: Image.Image
    changes: tuple[Change, ...]
    regions: tuple[Facts, ...]
    edits: tuple[Facts, ...]


class PhotoEditor(ABC):
    """Edits photos. Subclasses are final.

    Attributes:
        drawn_again: edits that did not count so far, by reason; each was drawn again.
    """

    def __init__(self) -> None:
        self.drawn_again: Counter[str] = Counter()

    @abstractmethod
    def edit(self, photo: Image.Image, seed: Seed, insists: bool = False) -> EditedPhoto | None:
        """An edited copy of an RGB photo; None where this photo cannot be edited. The same arguments give the same copy.

        Args:
            seed: where all choices come from; which kind of edit it should be does not depend on the photo.
            insists: rather no copy than another kind of edit than that: there are other photos.
        """
