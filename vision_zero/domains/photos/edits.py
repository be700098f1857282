"""The kinds of edit: each takes a region of a canvas and gives the new pixels, the words for it and how possible it looks, or
says why it does not suit the region.

They are those that can leave a possible photo behind without a model that paints: a thing is gone, stands elsewhere on the same
ground, or has another colour. What shows a thing twice, borrows one from another photo, or changes its material hardly ever does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.config import PhotoEdit
from vision_zero.domains.photos.copies import area_of, pasted, place_for
from vision_zero.domains.photos.phrases import color_of, place_of, region_name
from vision_zero.domains.photos.pixels import Mask, Picture, box_of, grown, shifted_mask
from vision_zero.domains.photos.plausibility import Plausibility, ground, on_skin, seamless, whole
from vision_zero.domains.photos.regions import Region
from vision_zero.domains.photos.removal import area_without, without
from vision_zero.domains.photos.surfaces import Paint, is_grown, paint_of, repainted

LEAST_CHROMA = 28.0
"""Mean chroma (CIE Lab) from which a paint is one: what is duller is a shade of grey, and looks dyed in another hue."""
TURN = (np.radians(35.0), np.radians(85.0))
"""By how much a hue turns, either way."""
GREENS = (np.radians(95.0), np.radians(190.0))
"""Hues that no warm colour is turned to: green meat, fruit or metal looks wrong."""
SHIFT = (8.0, 16.0)
"""How much lighter or darker (CIE L*) it becomes: two colours of one lightness are alike to the rule of similarity, which is
measured in grey."""
MOST_PAINT = 0.25
"""Largest share of the picture that one paint may cover: with more the whole picture is tinted."""
LEAST_MOVE = 0.8
"""A region moves by at least this share of its size."""


@dataclass(frozen=True)
class Edited:
    """What one edit made.

    Attributes:
        picture: the new pixels.
        before, after: the change in words (:class:`vision_zero.data.image_pair.Change`).
        looks: how possible it looks.
        shown: (height, width), where something is shown that was not there; None where the region stays or goes.
    """

    picture: Picture
    before: str
    after: str
    looks: Plausibility
    shown: Mask | None = None


@dataclass(frozen=True)
class Stroke:
    """What an edit works on and draws from.

    Attributes:
        canvas: the picture.
        region: the region of it.
        rng: where the edit's choices come from.
    """

    canvas: Canvas
    region: Region
    rng: np.random.Generator


def remove(stroke: Stroke) -> Edited | str:
    """Takes the region away."""
    canvas, region = stroke.canvas, stroke.region
    if not region.is_inside:
        return "it runs out of the picture"
    picture = _emptied(stroke)
    if isinstance(picture, str):
        return picture
    seam, fill = seamless(picture, area_without(canvas, region.mask))
    looks = Plausibility(whole(canvas.lab, region.mask), ground(canvas.lab, region.mask), seam, fill)
    return Edited(picture, region_name(canvas.picture, region.mask), "", looks)


def recolor(stroke: Stroke) -> Edited | str:
    """Gives the region's paint another hue."""
    canvas, rng = stroke.canvas, stroke.rng
    paint = _paint(canvas, stroke.region.mask)
    if isinstance(paint, str):
        return paint
    turn = float(rng.uniform(*TURN) * rng.choice((-1, 1)))
    if -np.radians(60) < paint.hue < GREENS[0] and GREENS[0] <= paint.hue + turn <= GREENS[1]:
        turn = -turn
    shift = float(rng.uniform(*SHIFT)) * (1 if paint.light < 50 else -1)
    picture = repainted(canvas.picture, paint, turn, shift)
    before, after = color_of(canvas.picture, paint.mask), color_of(picture, paint.mask)
    if before == after:
        return "its new colour has the same name"
    return Edited(picture, region_name(canvas.picture, paint.mask), after, Plausibility(whole=whole(canvas.lab, paint.mask)))


def move(stroke: Stroke) -> Edited | str:
    """Takes the region away and shows it elsewhere on the same ground, at about the same height: further up or down it would
    have another size."""
    canvas, region = stroke.canvas, stroke.region
    if not region.is_thing:
        return "it is no simple form inside the picture"
    emptied = _emptied(stroke)
    if isinstance(emptied, str):
        return emptied
    around = grown(region.mask, (LEAST_MOVE - 0.5) * float(np.sqrt(region.mask.sum())))
    rest = Canvas(emptied, (), canvas.taken)
    offset = place_for(rest, canvas, region.mask, canvas.taken | around, stroke.rng)
    if offset is None:
        return "no other place looks like its own"
    picture, shown = pasted(rest, canvas.picture, region.mask, offset), shifted_mask(region.mask, offset)
    gone, come = seamless(picture, area_without(canvas, region.mask)), seamless(picture, area_of(rest, shown))
    looks = Plausibility(whole(canvas.lab, region.mask), ground(canvas.lab, region.mask), min(gone[0], come[0]), gone[1])
    where = place_of(box_of(shown), (shown.shape[1], shown.shape[0]))
    return Edited(picture, region_name(canvas.picture, region.mask), f"the same region {where}", looks, shown)


EDITS: Mapping[PhotoEdit, Callable[[Stroke], Edited | str]] = {"remove": remove, "recolor": recolor, "move": move}


def _emptied(stroke: Stroke) -> Picture | str:
    """The picture without the region, or why it cannot be taken away."""
    if on_skin(stroke.canvas.lab, stroke.region.mask):
        return "what is around it has the colour of skin or fur: it could be an eye"
    picture = without(stroke.canvas, stroke.region.mask, stroke.rng)
    return "nothing in the picture can take its place" if picture is None else picture


def _paint(canvas: Canvas, mask: Mask) -> Paint | str:
    """The paint of a region that could as well have another colour, or why there is none."""
    if canvas.is_grey:
        return "the photo has no colours"
    _, a, b = canvas.lab[mask].mean(axis=0)
    paint = paint_of(canvas.lab, mask) if np.hypot(a, b) > LEAST_CHROMA / 2 else None
    if paint is None or paint.chroma < LEAST_CHROMA:
        return "it has no colour of its own"
    if paint.mask.mean() > MOST_PAINT:
        return "its colour covers too much of the picture"
    return "it has the colour of skin, wood, soil or leaves" if is_grown(paint.hue, paint.chroma) else paint
