"""How possible an edit looks: scores of images in which it is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from vision_zero.domains.photos.filling import cloned
from vision_zero.domains.photos.paints import LIGHTEST, TURNS, Paint, paints_of, repainted, shift_for, turn_from
from vision_zero.domains.photos.phrases import regions_name
from vision_zero.domains.photos.pixels import Mask, Pixels, grown
from vision_zero.domains.photos.plausibility import (
    Plausibility,
    borderless,
    distinct,
    ground,
    on_skin,
    room,
    seamless,
    small,
    whole,
)
from vision_zero.domains.photos.regions import alone

SHAPE = (240, 320)
ROWS, COLUMNS = np.mgrid[0:240, 0:320]


def disc(row: int = 120, column: int = 160, radius: int = 30) -> Mask:
    inside: Mask = (ROWS - row) ** 2 + (COLUMNS - column) ** 2 < radius**2
    return inside


def cloth(light: float = 60.0, grain: float = 2.0) -> Pixels:
    """An even ground with a grain, in CIE Lab."""
    rng = np.random.default_rng(0)
    lab = np.zeros((*SHAPE, 3), dtype=np.float32)
    lab[..., 0] = light + ndimage.gaussian_filter(rng.normal(0, 1, SHAPE), 1.0) * grain * 3.5
    lab[..., 2] = -10
    return lab


def with_thing(lab: Pixels, mask: Mask, color: tuple[float, float, float]) -> Pixels:
    result = lab.copy()
    result[mask] = color + (lab[mask] - lab[mask].mean(axis=0))
    return result


def rgb(lab: Pixels) -> Pixels:
    shown: Pixels = lab2rgb(lab).astype(np.float32)
    return shown


RED = (45.0, 60.0, 40.0)


def test_a_thing_ends_where_its_outline_is() -> None:
    lab = with_thing(cloth(), disc(), RED)
    assert whole(lab, disc()) == 1.0
    assert whole(lab, disc() & (COLUMNS < 160)) < 0.5, "a part of it"
    assert whole(cloth(), disc()) == 0.0, "nothing"


def test_a_thing_stands_on_one_ground() -> None:
    lab = with_thing(cloth(), disc(), RED)
    assert ground(lab, disc()) == 1.0
    assert ground(cloth(), disc()) == 0.0, "it does not differ from it"
    two = np.where((COLUMNS < 160)[..., None], cloth(30.0), cloth(80.0)).astype(np.float32)
    assert ground(with_thing(two, disc(), RED), disc()) < 0.5, "half on one, half on another"


def test_what_is_put_in_shows_no_seam() -> None:
    image = rgb(cloth())
    pasted = np.where(disc()[..., None], np.roll(image, 70, axis=1) + 0.15, image)
    assert seamless(pasted, disc())[0] == 0.0
    seam, fill = seamless(cloned(image, np.roll(image, 70, axis=1) + 0.15, disc()), disc())
    assert seam > 0.8
    assert fill == 1.0


def test_a_smear_in_a_lively_ground_shows() -> None:
    image = rgb(cloth(grain=6.0))
    smeared = np.where(disc()[..., None], image.mean(axis=(0, 1)), image)
    assert seamless(smeared, disc())[1] == 0.0
    assert seamless(image, disc()) == (1.0, 1.0)


def test_what_lies_on_skin_may_be_a_part_of_a_face() -> None:
    skin = cloth()
    skin[..., 1:] = (14.0, 20.0)
    assert on_skin(skin, disc())
    assert not on_skin(cloth(), disc())


def test_the_worst_score_decides() -> None:
    looks = Plausibility(whole=0.9, ground=1.0, seam=0.3, fill=0.8)
    assert (looks.score, looks.weakest) == (0.3, "seam")
    assert looks.facts() == {"whole": 0.9, "ground": 1.0, "room": 1.0, "size": 1.0, "seam": 0.3, "fill": 0.8}


def test_a_thing_alone_has_room_around_it() -> None:
    lab = with_thing(cloth(), disc(), RED)
    assert room(lab, disc()) == 1.0
    assert room(np.where((abs(ROWS - 120) > 38)[..., None], (20.0, 0.0, 0.0), lab).astype(np.float32), disc()) < 0.5, (
        "shelves are above and below it"
    )
    framed = with_thing(cloth(), disc(radius=40), (90.0, 0.0, 0.0))
    assert room(with_thing(framed, disc(), RED), disc()) < 0.5, "it is the inside of something"


def test_things_alone_are_found_and_parts_are_not() -> None:
    lab = with_thing(cloth(grain=0.5), disc(), RED)
    found = [mask for mask in alone(rgb(lab), 0.006, 0.2) if (mask & disc()).any()]
    assert max((mask & disc()).sum() / (mask | disc()).sum() for mask in found) > 0.7
    board = abs(ROWS - 120) + abs(COLUMNS - 160) < 110
    inside = with_thing(with_thing(cloth(grain=0.5), board, (20.0, 0.0, 0.0)), disc(), RED)
    assert not any(mask.sum() < 2 * disc().sum() for mask in alone(rgb(inside), 0.006, 0.2)), (
        "the board is a thing, its disc a part"
    )


def test_what_is_large_is_missed() -> None:
    assert small(disc()) == 1.0
    assert small(disc(radius=60)) == 0.0


def test_the_rest_of_a_thing_shows() -> None:
    lab = cloth(grain=0.5)
    half = disc() & (COLUMNS < 160)
    rest = rgb(with_thing(lab, disc() & ~grown(half, 6), RED))
    assert seamless(rest, grown(half, 6))[0] == 0.0
    assert seamless(rgb(lab), grown(half, 6))[0] == 1.0


def hue(values: NDArray[np.float32]) -> float:
    _, a, b = values.reshape(-1, 3).mean(axis=0)
    return float(np.arctan2(b, a))


def paint_at(lab: Pixels, mask: Mask) -> Paint | None:
    return next((paint for paint in paints_of(lab) if paint.mask[mask].mean() > 0.5), None)


def test_a_paint_is_all_that_has_its_hue_and_nothing_else() -> None:
    lab = with_thing(with_thing(cloth(), disc(120, 80), RED), disc(120, 240), (55.0, 62.0, 38.0))
    bars = (disc(120, 80) | disc(120, 240)) & (abs(ROWS - 120) < 3)
    lab = with_thing(lab, bars, (95.0, 0.0, 0.0))
    paint = paint_at(lab, disc(120, 80))
    assert paint is not None
    assert np.array_equal(paint.mask, (disc(120, 80) | disc(120, 240)) & ~bars), "both things, and not what is drawn on them"
    image = rgb(lab)
    after = repainted(image, lab, paint, np.radians(-45), 10.0)
    assert hue(rgb2lab(after[paint.mask][None])) == pytest.approx(hue(lab[paint.mask]) - np.radians(45), abs=0.1)
    far = ~grown(paint.mask, 4)
    assert np.array_equal(after[far], image[far])
    assert regions_name(image, paint.mask) == "the reddish regions in the middle"


def test_skin_wood_and_greys_are_no_paints() -> None:
    assert paints_of(cloth()) == ()
    assert paint_at(with_thing(cloth(), disc(), (65.0, 18.0, 20.0)), disc()) is None
    assert paint_at(with_thing(cloth(), disc(), (60.0, 40.0, 60.0)), disc()) is not None
    lab = with_thing(cloth(), disc(150), RED)
    face = disc(95, 160, 20)
    lab[face] = (65.0, 18.0, 20.0)
    paint = paint_at(lab, disc(150) & ~face)
    assert paint is not None
    assert paint.weights[grown(face, -4) & ~grown(disc(150), 5)].max() < 0.1, "a face above a red shirt keeps its colour"


def test_a_colour_that_fades_into_another_is_not_distinct() -> None:
    paint = paint_at(with_thing(cloth(), disc(), RED), disc())
    assert paint is not None
    assert distinct(paint.weights, paint.mixed) == 1.0
    fade = np.linspace(0, 1, 320, dtype=np.float32)[None].repeat(240, axis=0)
    assert distinct(fade, np.zeros(SHAPE, dtype=bool)) == 0.0


def test_a_border_on_an_even_surface_shows() -> None:
    lab = cloth(grain=0.5)
    half = np.where((COLUMNS > 100)[..., None] & disc(radius=80)[..., None], lab + np.array((0, 30, 0)), lab).astype(np.float32)
    assert borderless(lab, half) == 0.0
    assert borderless(half, np.where((half[..., 1] > 15)[..., None], half + np.array((0, 0, 30)), half).astype(np.float32)) == 1.0


def test_every_hue_turns_to_one_of_its_neighbours() -> None:
    assert [low for low, _, _ in TURNS[1:]] == [high for _, high, _ in TURNS[:-1]]
    assert [angle for angle, _ in LIGHTEST] == sorted(angle for angle, _ in LIGHTEST)
    rng = np.random.default_rng(0)
    for degrees in range(-180, 181, 3):
        turn = turn_from(float(np.radians(degrees)), rng)
        assert 24 <= abs(np.degrees(turn)) <= 70
        assert 7 <= abs(shift_for(float(np.radians(degrees)), turn, 50.0)) <= 18
    yellow_to_red = shift_for(float(np.radians(95)), float(np.radians(-50)), 80.0)
    assert yellow_to_red < 0, "a red is darker than a yellow"


def test_mixed_pixels_turn_as_far_as_they_are_mixed() -> None:
    soft = ndimage.gaussian_filter(disc().astype(np.float32), 1.2)[..., None]
    lab = (cloth() * (1 - soft) + np.array(RED, dtype=np.float32) * soft).astype(np.float32)
    paint = paint_at(lab, disc(radius=25))
    assert paint is not None
    after = rgb2lab(repainted(rgb(lab), lab, paint, np.radians(90), 0.0))
    ring = (soft[..., 0] > 0.02) & (soft[..., 0] < 0.98)
    assert (after[ring][:, 1] < 15).mean() > 0.9, "no rim of red is left"
