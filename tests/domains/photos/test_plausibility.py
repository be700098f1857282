"""How possible an edit looks: scores of pictures in which it is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from vision_zero.domains.photos.blending import cloned
from vision_zero.domains.photos.pixels import Mask, Picture
from vision_zero.domains.photos.plausibility import Plausibility, ground, on_skin, seamless, whole
from vision_zero.domains.photos.surfaces import is_grown, paint_of, repainted

SHAPE = (240, 320)
ROWS, COLUMNS = np.mgrid[0:240, 0:320]


def disc(row: int = 120, column: int = 160, radius: int = 30) -> Mask:
    inside: Mask = (ROWS - row) ** 2 + (COLUMNS - column) ** 2 < radius**2
    return inside


def cloth(light: float = 60.0, grain: float = 2.0) -> Picture:
    """An even ground with a grain, in CIE Lab."""
    rng = np.random.default_rng(0)
    lab = np.zeros((*SHAPE, 3), dtype=np.float32)
    lab[..., 0] = light + ndimage.gaussian_filter(rng.normal(0, 1, SHAPE), 1.0) * grain * 3.5
    lab[..., 2] = -10
    return lab


def with_thing(lab: Picture, mask: Mask, color: tuple[float, float, float]) -> Picture:
    result = lab.copy()
    result[mask] = color + (lab[mask] - lab[mask].mean(axis=0))
    return result


def rgb(lab: Picture) -> Picture:
    shown: Picture = lab2rgb(lab).astype(np.float32)
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
    picture = rgb(cloth())
    pasted = np.where(disc()[..., None], np.roll(picture, 70, axis=1) + 0.15, picture)
    assert seamless(pasted, disc())[0] == 0.0
    seam, fill = seamless(cloned(picture, np.roll(picture, 70, axis=1) + 0.15, disc()), disc())
    assert seam > 0.8
    assert fill == 1.0


def test_a_smear_in_a_lively_ground_shows() -> None:
    picture = rgb(cloth(grain=6.0))
    smeared = np.where(disc()[..., None], picture.mean(axis=(0, 1)), picture)
    assert seamless(smeared, disc())[1] == 0.0
    assert seamless(picture, disc()) == (1.0, 1.0)


def test_what_lies_on_skin_may_be_a_part_of_a_face() -> None:
    skin = cloth()
    skin[..., 1:] = (14.0, 20.0)
    assert on_skin(skin, disc())
    assert not on_skin(cloth(), disc())


@pytest.mark.parametrize(
    ("a", "b", "is_one"), [(14, 20, True), (-40, 45, True), (60, 40, False), (10, -50, False), (2, 3, False), (45, 60, False)]
)
def test_colours_that_grow_are_known(a: float, b: float, is_one: bool) -> None:
    assert is_grown(float(np.arctan2(b, a)), float(np.hypot(a, b))) == is_one


def test_the_worst_score_decides() -> None:
    looks = Plausibility(whole=0.9, ground=1.0, seam=0.3, fill=0.8)
    assert (looks.score, looks.weakest) == (0.3, "seam")
    assert looks.facts() == {"whole": 0.9, "ground": 1.0, "seam": 0.3, "fill": 0.8}


def hue(values: NDArray[np.float32]) -> float:
    _, a, b = values.reshape(-1, 3).mean(axis=0)
    return float(np.arctan2(b, a))


def test_paint_is_what_has_the_hue_not_what_is_in_the_region() -> None:
    sign = (abs(ROWS - 120) < 40) & (abs(COLUMNS - 160) < 60)
    bars = sign & (abs(COLUMNS - 160) < 2)
    lab = with_thing(with_thing(cloth(), sign, RED), bars, (95.0, 0.0, 0.0))
    half = sign & (COLUMNS < 150)
    paint = paint_of(lab, half)
    assert paint is not None
    assert np.array_equal(paint.mask, sign & ~bars), "all of the sign, beyond the white bar, and not the bar"
    picture = rgb(lab)
    blue = repainted(picture, paint, np.radians(-100), 10.0)
    after = rgb2lab(blue)
    assert hue(after[paint.mask]) == pytest.approx(hue(lab[paint.mask]) - np.radians(100), abs=0.1)
    assert after[paint.mask][:, 0].mean() == pytest.approx(55.0, abs=2.5)
    assert np.abs(rgb2lab(blue[bars]) - rgb2lab(picture[bars])).max() < 10.0
    far = ~ndimage.binary_dilation(sign, iterations=4)
    assert np.array_equal(blue[far], picture[far])
    assert paint_of(cloth(), disc()) is None, "a grey is no paint"
    assert paint_of(np.where((ROWS < 120)[..., None], RED, (50, -50, -50)).astype(np.float32), disc()) is None


def test_mixed_pixels_turn_as_far_as_they_are_mixed() -> None:
    soft = ndimage.gaussian_filter(disc().astype(np.float32), 1.2)[..., None]
    lab = (cloth() * (1 - soft) + np.array(RED, dtype=np.float32) * soft).astype(np.float32)
    paint = paint_of(lab, disc())
    assert paint is not None
    after = rgb2lab(repainted(rgb(lab), paint, np.radians(90), 0.0))
    expected = cloth()[..., 1:] * (1 - soft) + np.array((-40.0, 60.0)) * soft
    ring = (soft[..., 0] > 0.02) & (soft[..., 0] < 0.98)
    # Green of this chroma and lightness cannot be shown; the direction can.
    turned = np.hypot(*(after[ring][:, 1:] - expected[ring]).T)
    assert np.median(turned) < 12.0
    assert (after[ring][:, 1] < 15).mean() > 0.9, "no rim of red is left"


def test_a_face_keeps_its_colour_beside_a_red_shirt() -> None:
    lab = with_thing(cloth(), disc(150), RED)
    face = disc(95, 160, 20)
    lab[face] = (65.0, 18.0, 20.0)
    paint = paint_of(lab, disc(150) & ~face)
    assert paint is not None
    assert not (paint.mask & face).any()
