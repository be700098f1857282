"""CLEVR's scene JSON: written, read back, and read from CLEVR's own files."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.domains.scenes.drawn import lone, scenes
from vision_zero.domains.scenes.clevr import from_clevr, to_clevr, turned_camera
from vision_zero.domains.scenes.clevr_import import draw_given
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.render import render, survey
from vision_zero.domains.scenes.scene import Camera
from vision_zero.errors import PairsError


def test_clevr_json_has_clevrs_fields_and_reads_back():
    scene = scenes(ScenesConfig(), 1, "clevr")[0]
    entry = json.loads(json.dumps(to_clevr(scene, 320, 240, "x.png")))
    assert set(entry) == {"split", "image_index", "image_filename", "objects", "relationships", "directions", "vision_zero"}
    assert set(entry["objects"][0]) == {"shape", "color", "size", "material", "3d_coords", "rotation", "pixel_coords"}
    assert set(entry["relationships"]) == {"left", "right", "front", "behind"} == set(entry["directions"])
    again = from_clevr(entry)
    assert again.camera == scene.camera
    assert render(again, 96, 72).image.tobytes() == render(from_clevr(to_clevr(again, 320, 240)), 96, 72).image.tobytes()
    difference = np.asarray(render(again, 96, 72).image, int) - np.asarray(render(scene, 96, 72).image, int)
    assert np.abs(difference).mean() < 0.5


def test_relationships_agree_with_the_image():
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


def test_a_smaller_image_of_clevrs_generator_is_recognised():
    entry = clevr_val_scenes()[0]
    camera = from_clevr(entry).camera
    for item in entry["objects"]:
        column, row, depth = item["pixel_coords"]
        item["pixel_coords"] = [round(160 + (column - 240) / 1.5), round(120 + (row - 160) / 1.5), depth]
    assert np.allclose(from_clevr(entry).camera.location, camera.location, atol=0.05)
    entry["objects"][0]["pixel_coords"] = [0, 0, 3.0]
    assert from_clevr(entry).camera == turned_camera(tuple(entry["directions"]["right"]))


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
        {"location": [5, 5, 5], "target": [0, 0, 0], "focal": 1e-300},
    ],
)
def test_cameras_without_an_image_are_refused(camera):
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


def test_a_lamp_in_the_middle_of_the_scene_is_refused():
    entry = to_clevr(lone(), 320, 240)
    entry["vision_zero"]["lamps"]["key"] = [0, 0, 0]
    with pytest.raises(PairsError, match="a lamp stands in the middle"):
        from_clevr(entry)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a\0b.png", "a_b"),
        ("a\nb.png", "a_b"),
        ("x" * 5000 + ".png", "x" * 200),
        ("é" * 150, "é" * 100),
        ("\ud800.png", "\ufffd"),
    ],
)
def test_any_name_of_a_scene_becomes_a_files_name(given, name, tmp_path):
    (tmp_path / "scenes.json").write_text(json.dumps({"scenes": [{**to_clevr(lone(), 64, 48), "image_filename": given}]}))
    assert draw_given(tmp_path / "out", tmp_path / "scenes.json", 1, (64, 48)) == (1, {})
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{name}.png"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_scene_files_may_have_a_byte_order_mark(encoding, tmp_path):
    (tmp_path / "scenes.json").write_text(json.dumps({"scenes": [to_clevr(lone(), 64, 48)]}), encoding=encoding)
    assert draw_given(tmp_path / "out", tmp_path / "scenes.json", 1, (64, 48))[0] == 1


@pytest.mark.parametrize("text", ["[" * 100_000, '{"x": ' + "9" * 5000 + "}", '{"x": 1', "\0"])
def test_files_that_are_no_json_are_refused_in_one_line(text, tmp_path):
    (tmp_path / "scenes.json").write_text(text)
    with pytest.raises(PairsError, match="is not a readable JSON file") as caught:
        draw_given(tmp_path / "out", tmp_path / "scenes.json", 1, (64, 48))
    assert "\n" not in str(caught.value)
