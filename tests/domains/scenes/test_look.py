"""What the renderer shows: geometry, light and materials, held against what is known of real CLEVR images."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from tests.domains.scenes.drawn import lone, scenes
from vision_zero.domains.scenes import render as rendering
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.render import render, survey
from vision_zero.domains.scenes.scene import MATERIALS, PALETTE, RADII, SHAPES, SIZES, Camera, Scene, SceneObject
from vision_zero.domains.scenes.solids import Solid, unit
from vision_zero.randomness import Seed


@pytest.mark.parametrize("shape", SHAPES)
def test_a_lone_object_is_where_the_camera_projects_it(shape):
    scene = lone(shape)
    mask = render(scene, 320, 240).mask
    column, row, _ = scene.camera.project(np.array(scene.objects[0].center), 320, 240)
    rows, columns = np.nonzero(mask == 0)
    assert abs(columns.mean() - column) < 3
    assert abs(rows.mean() - row) < 4


@pytest.fixture(scope="module")
def drawn():
    """Pixels (N, 3) of each large object, alone at the middle of CLEVR's image, by material, shape and colour."""
    pixels = {}
    for material in MATERIALS:
        for shape in SHAPES:
            for color in ("red", "blue", "yellow"):
                image = render(lone(shape, color, material, rotation=25.0), 240, 160)
                pixels[material, shape, color] = np.asarray(image.image, dtype=float)[image.mask == 0]
    return pixels


def test_colours_are_as_pale_and_rubber_as_flat_as_clevrs(drawn):
    """Measured on real renders: saturation of coloured rubber 0.51 to 0.56, contrast (deviation over mean) about 0.07."""
    for (material, _, _), pixels in drawn.items():
        if material == "rubber":
            mean = pixels.mean(axis=0)
            assert 0.48 < (mean.max() - mean.min()) / mean.max() < 0.58
            assert pixels.max(axis=1).std() / mean.max() < 0.13


def test_metal_has_the_contrast_that_rubber_has_not(drawn):
    def contrast(material, shape):
        values = [pixels.max(axis=1) for (one, other, _), pixels in drawn.items() if (one, other) == (material, shape)]
        return np.mean([value.std() / value.mean() for value in values])

    for shape in SHAPES:
        assert contrast("metal", shape) > 1.8 * contrast("rubber", shape)
    assert contrast("metal", "sphere") > 0.33


def test_ground_is_as_bright_as_clevrs():
    ground = [
        np.asarray(render(replace(scene, objects=()), 96, 64).image).mean() for scene in scenes(ScenesConfig(), 8, "ground")
    ]
    assert 133 < np.mean(ground) < 147  # 140 in real renders


def test_a_thing_throws_several_faint_shadows():
    """Each of the four lamps has a shadow of its own, and none of them is as dark as all together."""
    scene = lone("cylinder", rotation=0.0)
    places = np.array([(1.3 * np.cos(turn), 1.3 * np.sin(turn), 0.0) for turn in np.radians(np.arange(0, 360, 5))])
    columns, rows = scene.camera.project(places, 480, 320)[:, :2].T.astype(int)
    drawn = render(scene, 480, 320)
    empty = np.asarray(render(replace(scene, objects=()), 480, 320).image, dtype=float)[rows, columns, 0]
    share = np.asarray(drawn.image, dtype=float)[rows, columns, 0] / empty
    ground = drawn.mask[rows, columns] < 0
    dark = (share < 0.985) & ground
    assert (dark & ~np.roll(dark, 1)).sum() >= 3
    assert share[ground].min() > 0.7


@pytest.mark.parametrize("color", [*PALETTE])
def test_rubber_shows_its_colour(color):
    drawn = render(lone(color=color), 160, 120)
    pixels = np.asarray(drawn.image, dtype=float)[drawn.mask == 0].mean(axis=0)
    paints = np.array([PALETTE[name] for name in PALETTE], dtype=float)

    def chroma(rgb):
        return rgb - rgb.mean(axis=-1, keepdims=True)

    # Light and shade change brightness; the hue must stay nearest to the object's own paint.
    scaled = chroma(pixels / max(pixels.max(), 1)), chroma(paints / paints.max(axis=1, keepdims=True))
    distances = np.linalg.norm(scaled[1] - scaled[0], axis=1)
    assert [*PALETTE][int(distances.argmin())] == color or color in ("brown", "red", "gray")
    if color == "gray":
        assert np.ptp(pixels) < 6


def test_metal_has_highlights_that_rubber_has_not():
    shine = {material: np.asarray(render(lone(material=material), 160, 120).image).max() for material in MATERIALS}
    assert shine["metal"] > shine["rubber"] + 30


def test_shadows_fall_and_ground_is_grey():
    scene = lone(size="large")
    ground = render(replace(scene, objects=()), 160, 120)
    with_object = render(scene, 160, 120)
    outside = with_object.mask < 0
    darker = np.asarray(ground.image, dtype=int).sum(2) - np.asarray(with_object.image, dtype=int).sum(2)
    assert (darker[outside] > 60).sum() > 100
    assert np.ptp(np.asarray(ground.image), axis=2).max() <= 1


def test_nearer_objects_hide_farther_ones():
    camera = Camera()
    towards = camera.ground_directions()["front"]
    near = SceneObject("cube", "red", "large", "rubber", float(towards[0]) * 1.6, float(towards[1]) * 1.6)
    far = SceneObject("cube", "blue", "large", "rubber", 0.0, 0.0)
    alone, both = survey(Scene((far,)), 160, 120), survey(Scene((far, near)), 160, 120)
    assert both.visible_pixels()[0] < alone.visible_pixels()[0]
    assert both.silhouettes[0] == alone.silhouettes[0]
    assert both.visible_pixels()[1] == both.silhouettes[1]


def test_edges_have_no_stairs(monkeypatch):
    """A smooth edge takes values between the two sides; without the finer rays every pixel is one or the other."""

    def between():
        image = np.asarray(render(lone("cube", rotation=20.0), 112, 112).image, dtype=int)
        red = image[:, :, 0] - image[:, :, 2]
        return int(((red > 10) & (red < 40)).sum())

    smooth = between()
    monkeypatch.setattr(rendering, "_edges", lambda mask, light: np.zeros(mask.shape, dtype=bool))
    assert smooth > 15 > between()


@pytest.mark.parametrize("size", SIZES)
def test_cubes_are_as_high_as_spheres_and_rounded(size):
    """CLEVR's cubes are not shrunk; their outline is an eighth smaller than that of a cube with sharp edges."""
    cube = SceneObject("cube", "red", size, "rubber", 0.0, 0.0, 20.0)
    assert cube.center[2] == RADII[size]
    camera = Camera()
    corners = np.array([np.ravel(place) for place in np.meshgrid(*[[-1.0, 1.0]] * 3)]).T * RADII[size]
    turn = np.radians(20.0)
    corners = corners @ np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]) + cube.center
    outline = camera.project(corners, 480, 320)[:, :2]
    hull = outline[ConvexHull(outline).vertices]
    sharp = 0.5 * abs(np.sum(hull[:, 0] * np.roll(hull[:, 1], -1) - hull[:, 1] * np.roll(hull[:, 0], -1)))
    assert 0.86 < survey(Scene((cube,)), 480, 320).silhouettes[0] / sharp < 0.91


@pytest.mark.parametrize("shape", SHAPES)
def test_rays_meet_the_rounded_surface_and_normals_point_out_of_it(shape):
    solid = Solid.of(SceneObject(shape, "red", "large", "rubber", 0.0, 0.0, 30.0))
    rng = Seed(9).generator()
    start = (unit(rng.normal(size=(3, 4000)).astype(np.float32)) * 3 + solid.center).astype(np.float32)
    towards = (solid.center + rng.uniform(-0.8, 0.8, (3, 4000)) - start).astype(np.float32)
    length = solid.intersect(start, towards)
    hit = np.isfinite(length)
    assert hit.mean() > 0.5
    points = start[:, hit] + towards[:, hit] * length[hit]
    normals = solid.normals(points)
    assert (np.sum(normals * towards[:, hit], axis=0) > 1e-3).mean() < 1e-3  # a grazing ray now and then
    # Convex: from the surface outwards nothing is in the way, and a point just inside it sees the surface behind.
    assert not np.isfinite(solid.intersect(points + 2e-3 * normals, normals)).any()
    back = solid.intersect(points + normals, -normals)
    assert np.allclose(back, 1, atol=0.02)
