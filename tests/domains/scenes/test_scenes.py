"""Scenes: placement by CLEVR's rules, and edits."""

import numpy as np
import pytest
from pydantic import ValidationError

from tests.domains.scenes.drawn import scenes
from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.edits import EditPlan, edit_scene
from vision_zero.domains.scenes.placement import all_visible, sample_scene
from vision_zero.domains.scenes.render import survey
from vision_zero.domains.scenes.scene import RADII
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


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


@pytest.mark.slow
def test_every_number_of_objects_is_as_frequent_as_the_next():
    """Of placements of seven objects one in fifteen is valid here, of three all are: drawing the number again made seven rare."""
    config = NANO_SCENES.model_copy(update={"max_objects": 7})
    counts = np.bincount([len(scene.objects) for scene in scenes(config, 100, "counts")], minlength=8)[3:]
    assert counts.sum() == 100
    assert ((counts - 20) ** 2 / 20).sum() < 13.3, counts  # chi-squared, 4 degrees of freedom, 1 in 100; it was 33.7


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
        ({"min_changes": 1, "max_changes": 3, "min_objects": 2}, "an edit changes different objects"),
        ({"edits": {"recolor": 0.0}}, "at least one kind of edit"),
        ({"width": 8}, "greater than or equal to 16"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_impossible_configs_are_refused(change, words):
    with pytest.raises(ValidationError, match=words):
        ScenesConfig.model_validate(change)


def test_the_papers_edit_changes_colour_and_shape_in_place():
    pair = SceneSource(NANO_SCENES).sample(Seed(2))
    before, after = pair.original_facts["objects"], pair.modified_facts["objects"]
    changed = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
    assert len(changed) == 2 == len(pair.changes)
    for one, two in changed:
        assert one["color"] != two["color"]
        assert one["shape"] != two["shape"]
        assert (one["size"], one["material"], one["3d_coords"][:2]) == (two["size"], two["material"], two["3d_coords"][:2])


@pytest.mark.slow
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
    found = []
    for number, scene in enumerate(scenes(config, 10, "edits")):
        rng = Seed(number).generator()
        found.append(edit_scene(config, scene, rng, EditPlan.sample(config, rng)))
    assert sum(edited is not None for edited in found) >= 7  # a crowded scene may have no room for what was drawn
    assert all(all_visible(config, edited.scene) for edited in found if edited is not None)


@pytest.mark.slow
def test_changes_are_inside_their_boxes():
    for number in range(6):
        pair = SceneSource(NANO_SCENES).sample(Seed(6).child(number))
        for change in pair.changes:
            left, top, right, bottom = change.box
            assert 0 <= left < right <= 112
            assert 0 <= top < bottom <= 112
            before, after = (np.asarray(image)[top:bottom, left:right] for image in (pair.original, pair.modified))
            assert (np.abs(before.astype(int) - after.astype(int)).max(axis=2) > 24).mean() > 0.2
