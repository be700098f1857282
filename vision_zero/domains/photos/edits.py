"""The kinds of edit: each takes a region of a canvas and gives the new pixels and the words for it, or nothing where it does
not suit the region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from skimage.color import rgb2lab

from vision_zero.config.photos import PhotoEdit
from vision_zero.domains.photos.canvas import Canvas
from vision_zero.domains.photos.copies import mirrored, pasted, place_for
from vision_zero.domains.photos.matting import lightness
from vision_zero.domains.photos.phrases import color_of, place_of, region_name
from vision_zero.domains.photos.pixels import Mask, Picture, box_of, grown, shifted_mask
from vision_zero.domains.photos.regions import Region
from vision_zero.domains.photos.removal import without
from vision_zero.domains.photos.surfaces import blurred, recolored, relit, retextured
from vision_zero.domains.photos.textures import TEXTURES, texture

CHROMA = 42.0
"""Least chroma (CIE Lab) of a new colour."""
SHIFT = (10.0, 20.0)
"""How much lighter or darker (CIE L*) it becomes: two colours of one lightness are alike to the rule of similarity, which is
measured in grey."""
BLUR = 0.16
"""Standard deviation of the blur as a share of the region's size (the square root of its area)."""
LEAST_MOVE = 0.8
"""A region moves by at least this share of its size."""


@dataclass(frozen=True)
class Edited:
    """What one edit made.

    Attributes:
        picture: the new pixels.
        before, after: the change in words (:class:`vision_zero.data.image_pair.Change`).
        shown: (height, width), where something is shown that was not there; None where the region stays or goes.
        of_original: it is the original that shows these pixels: the modified picture is as the photo was.
    """

    picture: Picture
    before: str
    after: str
    shown: Mask | None = None
    of_original: bool = False


@dataclass(frozen=True)
class Stroke:
    """What an edit works on and draws from.

    Attributes:
        canvas: the picture.
        region: the region of it.
        other: another photo of the same size, for what is added.
        rng: where the edit's choices come from.
    """

    canvas: Canvas
    region: Region
    other: Callable[[], Canvas | None]
    rng: np.random.Generator


def remove(stroke: Stroke) -> Edited | None:
    """Takes the region away."""
    canvas, mask = stroke.canvas, stroke.region.mask
    picture = without(canvas, mask, stroke.rng)
    return None if picture is None else Edited(picture, region_name(canvas.picture, mask), "")


def recolor(stroke: Stroke) -> Edited | None:
    """Gives the region another colour; in a photo without colours, another lightness."""
    canvas, mask, rng = stroke.canvas, stroke.region.mask, stroke.rng
    if canvas.is_grey:
        mean = 100 * float(lightness(canvas.picture)[mask].mean())
        picture = relit(canvas.picture, mask, float(rng.uniform(15, 30) if mean > 50 else rng.uniform(75, 88)))
    else:
        _, a, b = rgb2lab(canvas.picture[mask][None])[0].mean(axis=0)
        turn = rng.uniform(np.pi / 3, 5 * np.pi / 3)
        shift = float(rng.uniform(*SHIFT))
        picture = recolored(canvas.picture, mask, float(np.arctan2(b, a) + turn), CHROMA, shift)
    before, after = color_of(canvas.picture, mask), color_of(picture, mask)
    return None if before == after else Edited(picture, region_name(canvas.picture, mask), after)


def duplicate(stroke: Stroke) -> Edited | None:
    """Shows the region a second time."""
    canvas, region = stroke.canvas, stroke.region
    if not region.is_thing:
        return None
    found = place_for(canvas, canvas, region.mask, canvas.taken | region.mask, stroke.rng)
    if found is None:
        return None
    offset, alike = found
    shown = shifted_mask(region.mask, offset)
    copy = f"a copy of {region_name(canvas.picture, region.mask)}, placed {_place(shown)},"
    return Edited(pasted(canvas, canvas.picture, region.mask, offset, alike), "", copy, shown)


def move(stroke: Stroke) -> Edited | None:
    """Takes the region away and shows it in another place."""
    canvas, region = stroke.canvas, stroke.region
    if not region.is_thing:
        return None
    emptied = without(canvas, region.mask, stroke.rng)
    if emptied is None:
        return None
    around = grown(region.mask, (LEAST_MOVE - 0.5) * float(np.sqrt(region.mask.sum())))
    rest = Canvas(emptied, (), canvas.taken)
    found = place_for(rest, canvas, region.mask, canvas.taken | around, stroke.rng)
    if found is None:
        return None
    offset, alike = found
    picture = pasted(rest, canvas.picture, region.mask, offset, alike)
    shown = shifted_mask(region.mask, offset)
    return Edited(picture, region_name(canvas.picture, region.mask), f"the same region {_place(shown)}", shown)


def flip(stroke: Stroke) -> Edited | None:
    """Shows the region mirrored, left to right, in its place."""
    canvas, mask = stroke.canvas, stroke.region.mask
    picture = mirrored(canvas, mask)
    return None if picture is None else Edited(picture, region_name(canvas.picture, mask), "its mirror image")


def retexture(stroke: Stroke) -> Edited | None:
    """Gives the region the surface of brick, grass or gravel."""
    canvas, mask, rng = stroke.canvas, stroke.region.mask, stroke.rng
    name = TEXTURES[int(rng.integers(len(TEXTURES)))]
    scale = canvas.pixels(1.0, least=0.0)
    picture = retextured(canvas.picture, mask, lambda size: texture(name, size, scale, rng))
    return Edited(picture, region_name(canvas.picture, mask), f"textured like {name}")


def blur(stroke: Stroke) -> Edited | None:
    """Takes the region's detail away, or shows it where it had been taken away, each as often.

    Pictures with less detail would else be the modified ones: a probe told 60 to 63 % of single pictures by that.
    """
    canvas, mask = stroke.canvas, stroke.region.mask
    picture = blurred(canvas.picture, mask, BLUR * float(np.sqrt(mask.sum())))
    name = region_name(canvas.picture, mask)
    if stroke.rng.random() < 0.5:
        return Edited(picture, name, "blurred")
    return Edited(picture, name.replace("the ", "the blurred ", 1), "sharp", of_original=True)


def add(stroke: Stroke) -> Edited | None:
    """Shows a region of another photo."""
    canvas, other = stroke.canvas, stroke.other()
    things = [region for region in other.regions if region.is_thing] if other is not None else []
    if other is None or not things:
        return None
    if canvas.is_grey:
        other = Canvas(np.repeat(lightness(other.picture)[..., None], 3, axis=2), (), other.taken)
    mask = things[int(stroke.rng.integers(len(things)))].mask
    found = place_for(canvas, other, mask, canvas.taken, stroke.rng)
    if found is None:
        return None
    offset, alike = found
    picture = pasted(canvas, other.picture, mask, offset, alike)
    color = color_of(other.picture, mask)
    shown = shifted_mask(mask, offset)
    return Edited(picture, "", f"{'an' if color[0] in 'aeiou' else 'a'} {color} thing {_place(shown)}", shown)


EDITS: Mapping[PhotoEdit, Callable[[Stroke], Edited | None]] = {
    "remove": remove,
    "recolor": recolor,
    "duplicate": duplicate,
    "move": move,
    "flip": flip,
    "retexture": retexture,
    "blur": blur,
    "add": add,
}


def _place(mask: Mask) -> str:
    return place_of(box_of(mask), (mask.shape[1], mask.shape[0]))
