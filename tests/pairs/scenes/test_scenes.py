"""Scenes: placement by CLEVR's rules, what the renderer shows, edits, and CLEVR's JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from vision_zero.config.nano import NANO_SCENES
from vision_zero.config.pairs import ScenesConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.scenes import render as rendering
from vision_zero.pairs.scenes.clevr import from_clevr, to_clevr
from vision_zero.pairs.scenes.edit import edit_scene
from vision_zero.pairs.scenes.placement import all_visible, sample_scene
from vision_zero.pairs.scenes.render import render, survey
from vision_zero.pairs.scenes.scene import MATERIALS, PALETTE, RADII, SHAPES, Camera, Scene, SceneObject
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
        return int(((red > 25) & (red < 75)).sum())

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
    scene = from_clevr(entry)
    right = scene.camera.ground_directions()["right"]
    assert np.allclose(right, entry["directions"]["right"], atol=1e-5)
    assert min(survey(scene, 320, 240).visible_pixels()) > 50


@pytest.mark.parametrize(
    "broken",
    [{}, {"objects": []}, {"objects": [{"shape": "cone"}]}, {"objects": 3, "directions": {}}],
)
def test_what_is_no_clevr_scene_is_refused(broken):
    with pytest.raises(PairsError, match="not a CLEVR scene"):
        from_clevr(broken)
