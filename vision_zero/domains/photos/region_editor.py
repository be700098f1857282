"""The editor that needs no model: regions found by grouping, edits with classical means, each one checked before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from vision_zero.data.image_pair import Change, Facts
from vision_zero.data.images import box_of, channel_steps
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.config import PhotoEdit, PhotosConfig
from vision_zero.domains.photos.editor import EditedPhoto, PhotoEditor
from vision_zero.domains.photos.edits import EDITS
from vision_zero.domains.photos.paints import Paint
from vision_zero.domains.photos.phrases import color_of
from vision_zero.domains.photos.pixels import Mask, grown, to_image, to_pixels
from vision_zero.domains.photos.plausibility import WEAK
from vision_zero.domains.photos.regions import Region
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

VISIBLE = 24
"""A pixel differs visibly when one of its channels differs by more than this (of 255), as in the quality rules."""
UNSEEN = 2
"""Differences of at most this are taken back, so that boxes end where an edit does."""
MIN_SHARE = 0.25
"""Least number of visibly changed pixels, as a share of the region's."""
TRIES = 8
NOTHING: dict[PhotoEdit, str] = {
    "remove": "nothing stands out",
    "move": "nothing stands out",
    "recolor": "there is no colour but those of skin, wood and soil",
}
"""Why there is nothing to edit."""
_MARGIN = 6
"""Pixels around an edit that no other edit touches."""


_Step = tuple[Canvas, Change, Facts]
"""An edit that counts: the canvas after it, its log, and how it was made."""


@final
class RegionEditor(PhotoEditor):
    """Draws kinds of edit by weight and tries each on a few regions, the better ones rather.

    Not every kind suits every photo: few things can be taken away without a trace. Who insists, gets the first kind of the first
    edit as it was drawn or nothing; else, and for further edits, the next kind takes its place.
    """

    def __init__(self, config: PhotosConfig) -> None:
        super().__init__()
        self.config = config

    def edit(self, photo: Image.Image, seed: Seed, insists: bool = False) -> EditedPhoto | None:
        rng = seed.generator()
        count = int(rng.integers(self.config.min_changes, self.config.max_changes + 1))
        wishes = [self._kinds(rng) for _ in range(count)]
        seen = to_pixels(photo)
        canvas = Canvas.of(seen, self.config.min_region, self.config.max_region)
        found = canvas.regions
        changes: list[Change] = []
        edits: list[Facts] = []
        for kinds in wishes:
            step = self._step(kinds[:1] if insists and not changes else kinds, canvas, rng)
            if step is None:
                break
            canvas, change, how = step
            changes.append(change)
            edits.append(how)
        if len(changes) < self.config.min_changes:
            return None
        regions = tuple[Facts, ...]({"box": list(region.box), "color": color_of(seen, region.mask)} for region in found)
        return EditedPhoto(to_image(canvas.image), tuple(changes), regions, tuple(edits))

    def _kinds(self, rng: np.random.Generator) -> list[PhotoEdit]:
        """All kinds that may be tried, in the order in which they should be."""
        kinds: list[PhotoEdit] = sorted(kind for kind, weight in self.config.edits.items() if weight > 0)
        return [kinds[place] for place in _shuffled([self.config.edits[kind] for kind in kinds], rng)]

    def _step(self, kinds: list[PhotoEdit], canvas: Canvas, rng: np.random.Generator) -> _Step | None:
        for kind in kinds:
            targets: Sequence[Region | Paint] = canvas.paints if kind == "recolor" else canvas.regions
            if not targets:
                self.drawn_again[f"{kind}: {NOTHING[kind]}"] += 1
            for place in _shuffled([target.score for target in targets], rng)[:TRIES]:
                try:
                    return self._attempt(kind, canvas, targets[place], rng)
                except PairsError as reason:
                    self.drawn_again[f"{kind}: {reason}"] += 1
        return None

    def _attempt(self, kind: PhotoEdit, canvas: Canvas, target: Region | Paint, rng: np.random.Generator) -> _Step:
        """The edit; a PairsError says why it does not count."""
        least = self.config.min_plausible
        made = EDITS[kind](canvas, target, rng, least)
        if made.looks.score < least:
            raise PairsError(WEAK[made.looks.weakest])
        steps = channel_steps(to_image(canvas.image), to_image(made.image))
        # Of specks nobody says that they are another colour.
        changed, visible = steps > UNSEEN, int(ndimage.binary_opening(steps > VISIBLE, np.ones((3, 3))).sum())
        place = target.mask if made.shown is None else made.shown
        if visible < max(self.config.min_visible * steps.size, MIN_SHARE * place.sum()):
            raise PairsError("too little of it would change visibly")
        if (changed & canvas.taken).any():
            raise PairsError("it touches another edit")
        change = Change(kind, made.before, made.after, box_of(changed))
        how: Facts = {
            "kind": kind,
            "box": list(change.box),
            "region": _polygon(target.mask),
            "looks": made.looks.facts(),
            **({} if made.shown is None else {"shown": _polygon(made.shown)}),
        }
        shown = np.where(changed[..., None], to_pixels(to_image(made.image)), canvas.image)
        return canvas.edited(shown, grown(changed, _MARGIN)), change, how


def _shuffled(weights: list[float], rng: np.random.Generator) -> list[int]:
    """All indices in a random order, heavier ones rather earlier."""
    if not weights:
        return []
    shares = np.asarray(weights) / sum(weights)
    return [int(place) for place in rng.choice(len(weights), size=len(weights), replace=False, p=shares)]


def _polygon(mask: Mask) -> list[list[int]]:
    """The outline as corners [x, y] in pixels."""
    contours = find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    outline = approximate_polygon(max(contours, key=len), tolerance=1.0) - 1
    return [[round(float(column)), round(float(row))] for row, column in outline[:-1]]
