"""The editor that needs no model: regions found by grouping, edits with classical means, each one checked before it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from PIL import Image
from skimage.measure import approximate_polygon, find_contours

from vision_zero.config.photos import PhotoEdit, PhotosConfig
from vision_zero.data.image_pair import Change, Facts
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.editor import Borrow, EditedPhoto, PhotoEditor
from vision_zero.domains.photos.edits import EDITS, Stroke
from vision_zero.domains.photos.phrases import color_of
from vision_zero.domains.photos.pixels import Mask, Picture, box_of, grown, to_image, to_picture
from vision_zero.randomness import Seed

VISIBLE = 24
"""A pixel differs visibly when one of its channels differs by more than this (of 255), as in the quality rules."""
UNSEEN = 2
"""Differences of at most this are taken back, so that boxes end where an edit does."""
MIN_SHARE = 0.25
"""Least number of visibly changed pixels, as a share of the region's."""
REGION_TRIES = 3
_MARGIN = 6
"""Pixels around an edit that no other edit touches."""


@dataclass(frozen=True)
class _Step:
    """An edit that counts: what the modified picture and, where it is no longer the photo, the original are after it."""

    canvas: Canvas
    original: Picture
    change: Change
    how: Facts


@final
class RegionEditor(PhotoEditor):
    """Draws kinds of edit by weight and tries each on a few regions, the better ones rather.

    Not every kind suits every photo: few things can be taken away without a trace. Who insists, gets the first kind of the first
    edit as it was drawn or nothing; else, and for further edits, the next kind takes its place.
    """

    def __init__(self, config: PhotosConfig) -> None:
        self.config = config

    def edit(self, photo: Image.Image, borrow: Borrow, seed: Seed, insists: bool = False) -> EditedPhoto | None:
        rng = seed.generator()
        count = int(rng.integers(self.config.min_changes, self.config.max_changes + 1))
        wishes = [self._kinds(rng) for _ in range(count)]
        canvas, original = self._canvas(photo), to_picture(photo)
        found = canvas.regions
        changes: list[Change] = []
        edits: list[Facts] = []
        for kinds in wishes:
            step = self._step(kinds[:1] if insists and not changes else kinds, canvas, original, borrow, rng)
            if step is None:
                break
            canvas, original = step.canvas, step.original
            changes.append(step.change)
            edits.append(step.how)
        if len(changes) < self.config.min_changes:
            return None
        seen = to_picture(photo)
        regions = tuple[Facts, ...]({"box": list(region.box), "color": color_of(seen, region.mask)} for region in found)
        return EditedPhoto(to_image(original), to_image(canvas.picture), tuple(changes), regions, tuple(edits))

    def _canvas(self, photo: Image.Image) -> Canvas:
        return Canvas.of(to_picture(photo), self.config.min_region, self.config.max_region)

    def _kinds(self, rng: np.random.Generator) -> list[PhotoEdit]:
        """All kinds that may be tried, in the order in which they should be."""
        kinds: list[PhotoEdit] = sorted(kind for kind, weight in self.config.edits.items() if weight > 0)
        return [kinds[place] for place in _shuffled([self.config.edits[kind] for kind in kinds], rng)]

    def _step(
        self, kinds: list[PhotoEdit], canvas: Canvas, original: Picture, borrow: Borrow, rng: np.random.Generator
    ) -> _Step | None:
        if not canvas.regions:
            return None
        for kind in kinds:
            for place in _shuffled([region.score for region in canvas.regions], rng)[:REGION_TRIES]:
                stroke = Stroke(canvas, canvas.regions[place], lambda: self._canvas(borrow(rng)), rng)
                made = self._attempt(kind, stroke, original)
                if made is not None:
                    return made
        return None

    def _attempt(self, kind: PhotoEdit, stroke: Stroke, original: Picture) -> _Step | None:
        canvas, region, made = stroke.canvas, stroke.region, EDITS[kind](stroke)
        if made is None:
            return None
        before, after = np.asarray(to_image(canvas.picture)), np.asarray(to_image(made.picture))
        steps = np.abs(after.astype(np.int16) - before).max(axis=2)
        changed, visible = steps > UNSEEN, int((steps > VISIBLE).sum())
        place = region.mask if made.shown is None else made.shown
        if visible < max(self.config.min_visible * steps.size, MIN_SHARE * place.sum()):
            return None
        if (changed & canvas.taken).any():
            return None
        change = Change(kind, made.before, made.after, box_of(changed))
        how: Facts = {"kind": kind, "box": list(change.box)}
        if kind != "add":
            how["region"] = _polygon(region.mask)
        if made.shown is not None:
            how["shown"] = _polygon(made.shown)
        # Edits never touch what another one changed, so the original can take this one's pixels whatever came before.
        shown = np.where(changed[..., None], to_picture(to_image(made.picture)), original if made.of_original else canvas.picture)
        modified, original = (canvas.picture, shown) if made.of_original else (shown, original)
        return _Step(canvas.edited(modified, grown(changed, _MARGIN)), original, change, how)


def _shuffled(weights: list[float], rng: np.random.Generator) -> list[int]:
    """All indices in a random order, heavier ones rather earlier."""
    shares = np.asarray(weights) / sum(weights)
    return [int(place) for place in rng.choice(len(weights), size=len(weights), replace=False, p=shares)]


def _polygon(mask: Mask) -> list[list[int]]:
    """The outline as corners [x, y] in pixels."""
    contours = find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    outline = approximate_polygon(max(contours, key=len), tolerance=1.0) - 1
    return [[round(float(column)), round(float(row))] for row, column in outline[:-1]]
