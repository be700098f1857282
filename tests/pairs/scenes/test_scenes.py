"""Scenes: placement by CLEVR's rules, what the renderer shows, edits, and CLEVR's JSON."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.spatial import ConvexHull

from vision_zero.config.nano import NANO_SCENES
from vision_zero.config.pairs import ScenesConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.scenes import render as rendering
from vision_zero.pairs.scenes.calibration import turned_camera
from vision_zero.pairs.scenes.clevr import from_clevr, to_clevr
from vision_zero.pairs.scenes.edit import edit_scene
from vision_zero.pairs.scenes.placement import all_visible, sample_scene
from vision_zero.pairs.scenes.render import render, survey
from vision_zero.pairs.scenes.scene import MATERIALS, PALETTE, RADII, SHAPES, SIZES, Camera, Scene, SceneObject
from vision_zero.pairs.scenes.solids import Solid, unit
from vision_zero.pairs.scenes.source import SceneSource
from vision_zero.randomness import Seed


def scenes(config, count, name="scenes"):
    return [sample_scene(config, Seed(4).child(name, number).generator()) for number in range(count)]


@pytest.mark.parametrize("config", [NANO_SCENES, ScenesConfig()])
def test_objects_stand_apart_and_show(config):
    for scene in scenes(config, 8):
        assert config.min_objects <= len(scene.objects) <= config.max_objects
        directions = scene.camera.ground_directions()
        for number, one in enumerate(scene.objects):
            for other in scene.objects[:number]:
                offset = np.array([one.x - other.x, one.y - other.y, 0.0])
                assert np.linalg.norm(offset) - RADII[one.size] - RADII[other.size] >= config.min_distance
                assert abs(offset @ directions["right"]) >= config.margin
                assert abs(offset @ directions["behind"]) >= config.margin
        view = survey(scene, config.width, config.height)
        least = config.min_visible_pixels * config.width * config.height / (320 * 240)
        assert min(view.visible_pixels()) >= least


def test_every_number_of_objects_is_as_frequent_as_the_next():
    """Six objects are refused seven times in ten here, three never: drawing the number again would make six rare."""
    config = NANO_SCENES.model_copy(update={"max_objects": 6})
    counts = np.bincount([len(scene.objects) for scene in scenes(config, 120, "counts")], minlength=7)[3:]
    assert counts.sum() == 120
    assert ((counts - 30) ** 2 / 30).sum() < 11.3, counts  # chi-squared, 3 degrees of freedom, 1 in 100


def test_edits_that_are_refused_more_often_are_as_frequent():
    """Two of five objects seldom find other places, another colour always does."""
    config = NANO_SCENES.model_copy(
        update={"edits": {"move": 1.0, "recolor": 1.0}, "min_objects": 5, "min_changes": 2, "max_changes": 2}
    )
    source = SceneSource(config)
    plans = [source._scene_and_edit(Seed(8).child(number).generator())[1].kind for number in range(24)]
    assert 6 <= plans.count("move") <= 18  # binomial, 1 in 100


def test_impossible_settings_say_what_to_change():
    crowded = ScenesConfig(extent=0.6, min_objects=6, max_objects=6)
    with pytest.raises(PairsError, match="raise extent"):
        sample_scene(crowded, Seed(0).generator())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"min_objects": 7}, "min_objects must not be larger"),
        ({"max_changes": 1}, "min_changes must not be larger"),
        ({"min_changes": 1, "max_changes": 3, "min_objects": 2}, "an edit touches different objects"),
        ({"edits": {"recolor": 0.0}}, "at least one kind of edit"),
        ({"width": 8}, "greater than or equal to 16"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_impossible_configs_are_refused(change, words):
    with pytest.raises(ValidationError, match=words):
        ScenesConfig.model_validate(change)


def lone(shape="sphere", color="red", material="rubber", size="large", rotation=0.0):
    return Scene((SceneObject(shape, color, size, material, 0.0, 0.0, rotation),))


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
    """Pixels (N, 3) of each large object, alone at the middle of CLEVR's picture, by material, shape and colour."""
    pixels = {}
    for material in MATERIALS:
        for shape in SHAPES:
            for color in ("red", "blue", "yellow"):
                picture = render(lone(shape, color, material, rotation=25.0), 240, 160)
                pixels[material, shape, color] = np.asarray(picture.image, dtype=float)[picture.mask == 0]
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
        picture = np.asarray(render(lone("cube", rotation=20.0), 112, 112).image, dtype=int)
        red = picture[:, :, 0] - picture[:, :, 2]
        return int(((red > 10) & (red < 40)).sum())

    smooth = between()
    monkeypatch.setattr(rendering, "_edges", lambda mask, light: np.zeros(mask.shape, dtype=bool))
    assert smooth > 15 > between()


def test_pictures_are_the_same_every_time():
    one, two = (SceneSource(NANO_SCENES).sample(Seed(1).child(0)) for _ in range(2))
    assert one.original.tobytes() == two.original.tobytes()
    assert one.facts_json() == two.facts_json()
    assert SceneSource(NANO_SCENES).sample(Seed(1).child(1)).original.tobytes() != one.original.tobytes()


def test_the_papers_edit_changes_colour_and_shape_in_place():
    pair = SceneSource(NANO_SCENES).sample(Seed(2))
    before, after = pair.original_facts["objects"], pair.modified_facts["objects"]
    changed = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
    assert len(changed) == 2 == len(pair.changes)
    for one, two in changed:
        assert one["color"] != two["color"]
        assert one["shape"] != two["shape"]
        assert (one["size"], one["material"], one["3d_coords"][:2]) == (two["size"], two["material"], two["3d_coords"][:2])


@pytest.mark.parametrize(
    ("edit", "keys"),
    [
        ("recolor", {"color"}),
        ("reshape", {"shape", "3d_coords", "pixel_coords"}),
        ("resize", {"size", "3d_coords", "pixel_coords"}),
        ("rematerial", {"material"}),
        ("move", {"3d_coords", "pixel_coords"}),
    ],
)
def test_single_edits_change_one_thing(edit, keys):
    config = NANO_SCENES.model_copy(update={"edits": {edit: 1.0}, "min_changes": 1, "max_changes": 1})
    pair = SceneSource(config).sample(Seed(3).child(edit))
    differing = [
        {key for key in one if one[key] != two[key]}
        for one, two in zip(pair.original_facts["objects"], pair.modified_facts["objects"], strict=True)
        if one != two
    ]
    assert len(differing) == 1
    assert differing[0] <= keys
    assert pair.changes[0].kind == edit


@pytest.mark.parametrize(("edit", "step"), [("add", 1), ("remove", -1)])
def test_adding_and_removing(edit, step):
    config = NANO_SCENES.model_copy(update={"edits": {edit: 1.0}, "min_changes": 2, "max_changes": 2})
    pair = SceneSource(config).sample(Seed(5).child(edit))
    assert len(pair.modified_facts["objects"]) - len(pair.original_facts["objects"]) == 2 * step
    assert all(("was added" if step > 0 else "was removed") in change.sentence() for change in pair.changes)


def test_every_edited_scene_is_valid():
    config = NANO_SCENES.model_copy(
        update={"edits": dict.fromkeys(["recolor", "resize", "move", "add", "remove"], 1.0), "min_changes": 1}
    )
    found = [edit_scene(config, scene, Seed(n).generator()) for n, scene in enumerate(scenes(config, 10, "edits"))]
    assert sum(edited is not None for edited in found) >= 7  # a crowded scene may have no room for what was drawn
    assert all(all_visible(config, edited.scene) for edited in found if edited is not None)


def test_changes_are_inside_their_boxes():
    for number in range(6):
        pair = SceneSource(NANO_SCENES).sample(Seed(6).child(number))
        for change in pair.changes:
            left, top, right, bottom = change.box
            assert 0 <= left < right <= 112
            assert 0 <= top < bottom <= 112
            before, after = (np.asarray(image)[top:bottom, left:right] for image in (pair.original, pair.modified))
            assert (np.abs(before.astype(int) - after.astype(int)).max(axis=2) > 24).mean() > 0.2


def test_clevr_json_has_clevrs_fields_and_reads_back():
    scene = scenes(ScenesConfig(), 1, "clevr")[0]
    entry = json.loads(json.dumps(to_clevr(scene, 320, 240, "x.png", "train")))
    assert set(entry) == {"split", "image_index", "image_filename", "objects", "relationships", "directions", "vision_zero"}
    assert set(entry["objects"][0]) == {"shape", "color", "size", "material", "3d_coords", "rotation", "pixel_coords"}
    assert set(entry["relationships"]) == {"left", "right", "front", "behind"} == set(entry["directions"])
    again = from_clevr(entry)
    assert again.camera == scene.camera
    assert render(again, 96, 72).image.tobytes() == render(from_clevr(to_clevr(again, 320, 240)), 96, 72).image.tobytes()
    difference = np.asarray(render(again, 96, 72).image, int) - np.asarray(render(scene, 96, 72).image, int)
    assert np.abs(difference).mean() < 0.5


def test_relationships_agree_with_the_picture():
    scene = scenes(ScenesConfig(), 1, "relations")[0]
    entry = to_clevr(scene, 320, 240)
    for anchor, lefts in enumerate(entry["relationships"]["left"]):
        for other in range(len(scene.objects)):
            is_left = entry["objects"][other]["pixel_coords"][0] < entry["objects"][anchor]["pixel_coords"][0]
            if other in lefts:
                assert anchor in entry["relationships"]["right"][other]
                assert is_left or abs(scene.objects[other].x - scene.objects[anchor].x) < 1.5
        assert anchor not in lefts


def test_a_scene_of_clevr_itself_is_drawn_from_its_directions():
    entry = to_clevr(scenes(ScenesConfig(), 1, "foreign")[0], 320, 240)
    del entry["vision_zero"]
    for item in entry["objects"]:
        del item["pixel_coords"]
    scene = from_clevr(entry)
    right = scene.camera.ground_directions()["right"]
    assert np.allclose(right, entry["directions"]["right"], atol=1e-5)
    assert min(survey(scene, 320, 240).visible_pixels()) > 50


def clevr_val_scenes():
    """Five scenes of CLEVR 1.0's validation split, unchanged but without ``relationships`` (CC BY 4.0, Johnson et al., 2017)."""
    return json.loads((Path(__file__).parent / "data" / "clevr_val_scenes.json").read_text(encoding="utf-8"))["scenes"]


@pytest.mark.parametrize("entry", clevr_val_scenes(), ids=lambda entry: entry["image_filename"])
def test_objects_of_real_scenes_lie_where_clevr_says(entry):
    scene = from_clevr(entry)
    told = np.array([item["pixel_coords"] for item in entry["objects"]])
    found = scene.camera.project(np.array([item.center for item in scene.objects]), 480, 320)
    assert np.abs(found - told)[:, :2].max() < 1
    assert np.abs(found - told)[:, 2].max() < 0.01
    assert [item.center for item in scene.objects] == [pytest.approx(item["3d_coords"], abs=1e-6) for item in entry["objects"]]
    # The generator hands its "degrees" to Blender as radians.
    assert scene.objects[0].rotation == pytest.approx(np.degrees(entry["objects"][0]["rotation"]) % 360)
    mean = Camera().project(np.array([item.center for item in scene.objects]), 480, 320)
    assert np.hypot(*(mean - told)[:, :2].T).mean() < 8  # what the camera's jitter leaves
    assert np.allclose(Camera().ground_directions()["right"], entry["directions"]["right"], atol=1e-5)


def test_a_smaller_picture_of_clevrs_generator_is_recognised():
    entry = clevr_val_scenes()[0]
    camera = from_clevr(entry).camera
    for item in entry["objects"]:
        column, row, depth = item["pixel_coords"]
        item["pixel_coords"] = [round(160 + (column - 240) / 1.5), round(120 + (row - 160) / 1.5), depth]
    assert np.allclose(from_clevr(entry).camera.location, camera.location, atol=0.05)
    entry["objects"][0]["pixel_coords"] = [0, 0, 3.0]
    assert from_clevr(entry).camera == turned_camera(tuple(entry["directions"]["right"]))


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


NUMBERS_THAT_ARE_NONE = [float("nan"), float("inf"), -float("inf"), 1e300, 10**400, "here", None, [1.0]]


@pytest.mark.parametrize("value", NUMBERS_THAT_ARE_NONE, ids=lambda value: str(value)[:8])
@pytest.mark.parametrize("place", ["3d_coords", "pixel_coords", "rotation", "right", "location", "focal", "key"])
def test_coordinates_that_are_no_numbers_are_refused_in_one_line(place, value):
    entry = to_clevr(lone(), 320, 240)
    if place in ("3d_coords", "pixel_coords", "right"):
        del entry["vision_zero"]
    if place in ("3d_coords", "pixel_coords"):
        entry["objects"][0][place] = [value, *entry["objects"][0][place][1:]]
    elif place == "rotation":
        entry["objects"][0]["rotation"] = value
    elif place == "right":
        entry["directions"]["right"] = [value, 0.0, 0.0]
    elif place == "key":
        entry["vision_zero"]["lamps"]["key"] = [value, 1.0, 1.0]
    else:
        entry["vision_zero"]["camera"][place] = value if place == "focal" else [value, 1.0, 1.0]
    with pytest.raises(PairsError, match="not a CLEVR scene") as caught:
        from_clevr(entry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "camera",
    [
        {"location": [0, 0, 5], "target": [0, 0, 0], "focal": 1.0},
        {"location": [1, 1, 1], "target": [1, 1, 1], "focal": 1.0},
        {"location": [5, 5, -1], "target": [0, 0, 0], "focal": 1.0},
        {"location": [5, 5, 5], "target": [0, 0, 0], "focal": 0.0},
    ],
)
def test_cameras_without_a_picture_are_refused(camera):
    entry = to_clevr(lone(), 320, 240)
    entry["vision_zero"]["camera"] = camera
    with pytest.raises(PairsError, match="the camera"):
        from_clevr(entry)


@pytest.mark.parametrize(
    "broken",
    [{}, {"objects": lone().objects * 101}, {"objects": []}, {"objects": [{"shape": "cone"}]}, {"objects": 3, "directions": {}}],
)
def test_what_is_no_clevr_scene_is_refused(broken):
    with pytest.raises(PairsError, match="not a CLEVR scene"):
        from_clevr(broken)
