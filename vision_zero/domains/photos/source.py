"""Pairs of photos. The paper edits photos with an image model behind an API; the default here needs no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast, final

import numpy as np
from PIL import Image

from vision_zero.data.collection import CollectionSource
from vision_zero.data.image_pair import Facts, ImagePair
from vision_zero.data.source_report import SourceReport
from vision_zero.data.splits import EVERYTHING, SplitFilter
from vision_zero.domains.pair_rules import disagreement
from vision_zero.domains.photos.collection import open_collection
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.photos.editor import PhotoEditor
from vision_zero.domains.photos.instruction_editor import InstructionEditor
from vision_zero.domains.photos.region_editor import RegionEditor
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed
from vision_zero.text import well_formed

PAIR_TRIES = 40
INSISTENCE = 3
"""So many of them are for the kind of edit that was drawn; then another one may take its place."""
OWN_TRIES = 4
"""Where it is a photo's turn, so many are for it: half of them for the kind of edit that was drawn, half for any."""
KEPT = 8
"""Decoded photos that are kept: the shipped ones all fit."""
MOST_DETAIL = 4
"""A photo is kept at no more than so many times the size of the images."""

_Photo = tuple[Image.Image, int]
"""A photo, and the width that it had."""
MOST_ENLARGED = 2.0
"""A photo is enlarged at most so much."""
SHARP = 1.25
"""Crops are chosen large enough to be enlarged at most so much, where the photo allows it."""


@final
class PhotoSource(CollectionSource[_Photo]):
    """Draws a crop of a photo and edits it; facts are the photo's origin, the crop, and the regions.

    Photos that cannot be used are skipped, and the report says why.

    Raises:
        PairsError: the photos' location cannot be read or holds none; the editor cannot be loaded.
    """

    domain = things = "photos"

    def __init__(self, config: PhotosConfig, editor: PhotoEditor | None = None, only: SplitFilter = EVERYTHING) -> None:
        self.config = config
        self._photos = open_collection(config)
        super().__init__(self._photos, config.location or "the photos of the packages", only)
        self._kept = lru_cache(KEPT)(self._scaled)
        if editor is None:
            editor = RegionEditor(config) if config.instruction is None else InstructionEditor(config.instruction)
        self._editor = editor
        self._refused: dict[str, str] = {}

    def report(self) -> SourceReport:
        refused = {well_formed(name): reason for name, reason in self._refused.items()}
        return super().report().model_copy(update={"drawn_again": dict(self._editor.drawn_again), "not_edited": refused})

    def sample(self, seed: Seed) -> ImagePair:
        return self._made(seed, None)

    def at(self, turn: int, seed: Seed, order: Seed) -> ImagePair:
        return self._made(seed, self._turn(turn, order))

    def _made(self, seed: Seed, own: tuple[int, _Photo] | None) -> ImagePair:
        """A pair, of that photo if there is one and it can be edited in a few tries."""
        first = 0 if own is None else OWN_TRIES
        before = Counter(self._editor.drawn_again)
        for attempt in range(PAIR_TRIES):
            if own is not None and attempt == first:
                self._refused[self._photos.name(own[0])] = self._reason(before)
            is_own = attempt < first
            photo, origin = self._image(seed.child(attempt, "photo").generator(), own if is_own else None)
            insists = attempt < OWN_TRIES // 2 if is_own else attempt - first < INSISTENCE
            # One seed for all tries: a kind of edit is drawn once, and a photo that suits it is sought.
            edited = self._editor.edit(photo, seed.child("edit"), insists=insists)
            if edited is None:
                continue
            facts: Facts = {**origin, "regions": list(edited.regions)}
            return ImagePair(
                pair_id=f"photo-{seed.digest()[:16]}",
                domain=self.domain,
                original=photo,
                modified=edited.image,
                changes=edited.changes,
                original_facts=facts,
                modified_facts={**facts, "edits": list(edited.edits)},
            )
        raise PairsError(
            f"no photo could be edited in {PAIR_TRIES} tries, most often because: {self._reason(before)}; allow other edits, "
            "lower min_region, min_visible or min_plausible, or use photos with things that stand out"
        )

    def _reason(self, before: Counter[str]) -> str:
        """Why edits did not count since then, most often."""
        since = (Counter(self._editor.drawn_again) - before).most_common(1)
        return since[0][0] if since else "the editor made none"

    def _image(self, rng: np.random.Generator, own: tuple[int, _Photo] | None) -> tuple[Image.Image, Facts]:
        """A random crop of that photo, or of a random one, and where it is from."""
        place, (photo, width) = self._pick(rng) if own is None else own
        size = (self.config.width, self.config.height)
        crop = draw_crop(photo.size, size, self.config.min_crop, self.config.mirror, rng)
        return crop.of(photo, size), {**self._photos.origin(place), **crop.facts(width / photo.width)}

    def _load(self, place: int) -> _Photo:
        return self._kept(place)

    def _scaled(self, place: int) -> _Photo:
        """A photo, not larger than needed, and the width that it had."""
        photo = self._photos.load(place)
        check_size(photo, (self.config.width, self.config.height))
        width = photo.width
        photo.thumbnail((MOST_DETAIL * self.config.width, MOST_DETAIL * self.config.height), Image.Resampling.LANCZOS)
        return photo, width

    def _shown(self, thing: _Photo) -> Sequence[Image.Image]:
        return thing[:1]


def log_against_edits(pair: ImagePair) -> str:
    """What is wrong with the log; nothing where it is true."""
    edits = cast(list[Mapping[str, Any]], pair.modified_facts["edits"])
    made = Counter((str(edit["kind"]), tuple(edit["box"])) for edit in edits)
    return disagreement(made, Counter((change.kind, change.box) for change in pair.changes), "list of edits")


@dataclass(frozen=True)
class Crop:
    """A part of a photo, (left, top, right, bottom) in its pixels, and whether it is mirrored."""

    box: tuple[float, float, float, float]
    mirrored: bool

    def of(self, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
        """The part at that size (width, height)."""
        # `reducing_gap` lets Pillow shrink large photos in two steps; the image stays the same to the eye.
        part = photo.resize(size, Image.Resampling.LANCZOS, box=self.box, reducing_gap=3.0)
        return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if self.mirrored else part

    def facts(self, scale: float) -> Facts:
        """As JSON data, in the pixels of a photo that is so many times larger."""
        return {"crop": [round(edge * scale, 2) for edge in self.box], "mirrored": self.mirrored}


def check_size(photo: Image.Image, size: tuple[int, int]) -> None:
    """Refuse a photo that is too small for crops of that size (width, height).

    Raises:
        PairsError: the largest crop would be enlarged more than ``MOST_ENLARGED`` times.
    """
    needed = (int(size[0] / MOST_ENLARGED), int(size[1] / MOST_ENLARGED))
    if photo.width < needed[0] or photo.height < needed[1]:
        raise PairsError(
            f"the photo is too small: {photo.width}x{photo.height}, at least {needed[0]}x{needed[1]} pixels are needed"
        )


def draw_crop(photo: tuple[int, int], size: tuple[int, int], min_crop: float, may_mirror: bool, rng: np.random.Generator) -> Crop:
    """A random crop of the shape that is wanted.

    Args:
        photo: (width, height) of the photo.
        size: (width, height) that the crop will be shown at.
        min_crop: its least width as a share of the largest one's.
        may_mirror: half the crops are mirrored.
    """
    largest = min(photo[0] / size[0], photo[1] / size[1])
    smallest = min(largest, max(min_crop * largest, 1 / SHARP))
    scale = float(rng.uniform(smallest, largest))
    width, height = size[0] * scale, size[1] * scale
    left, top = float(rng.uniform(0, photo[0] - width)), float(rng.uniform(0, photo[1] - height))
    box = (left, top, min(left + width, photo[0]), min(top + height, photo[1]))
    return Crop(box, may_mirror and bool(rng.random() < 0.5))
