"""What the embedded policy was not raised on is said before any work: by check-config, by plan, and in the run's table."""

from pathlib import Path

import pytest
import yaml

from tests.make import plain_pair, scene_pairs
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import EvaluateConfig
from vision_zero.recipes.check import check_file
from vision_zero.recipes.nano_limits import notes_on, notes_on_pairs
from vision_zero.training.plan import Lengths, make_plan, table

RECIPE = yaml.safe_load(Path("configs/self_play/nano.yaml").read_text())["parameters"]["config"]
KNOWN = "nano knows only its own scenes (112x112 pixels, 3 to 5 objects), and compact charts in questions; here it is shown "


def recipe(**changes):
    pairs = RECIPE["pairs"] | changes.pop("pairs", {})
    return SelfPlayConfig.model_validate({**RECIPE, **changes, "pairs": pairs})


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"pairs": {"mix": {"photos": 1.0}, "photos": {"location": "/photos"}}}, "photos"),
        ({"pairs": {"mix": {"scenes": 0.5, "charts": 0.5}}}, "charts"),
        ({"pairs": {"mix": {"imported": 1.0}, "imported": {"location": "/pairs"}}}, "imported pairs"),
        ({"pairs": {"scenes": {**RECIPE["pairs"]["scenes"], "width": 320, "height": 240}}}, "scenes of 320x240 pixels"),
        ({"pairs": {"scenes": {**RECIPE["pairs"]["scenes"], "max_objects": 8}}}, "scenes of up to 8 objects"),
        (
            {"pairs": {"scenes": {**RECIPE["pairs"]["scenes"], "zoom": 1.0}}},
            "scenes framed otherwise (its own: extent 2, zoom 1.5)",
        ),
        ({"game": {"prompt": "paper"}}, "prompts in the paper wording (game.prompt: compact is what it reads)"),
    ],
)
def test_what_nano_was_not_raised_on_is_named(changes, shown):
    [note] = notes_on(recipe(**changes))
    assert note.startswith(f"{KNOWN}{shown}: many of its replies will be unreadable or guesses; take another policy.base")


def test_what_it_was_raised_on_and_other_policies_are_left_alone():
    assert notes_on(recipe()) == ()
    photos = {"mix": {"photos": 1.0, "scenes": 0.0}, "photos": {"location": "/photos"}}
    assert notes_on(recipe(pairs=photos, policy={"base": "/models/qwen"})) == ()
    assert notes_on(recipe(pairs=photos, policy={"base": "vision_zero/policy/nano/weights"})) != ()  # the same by another name


def test_every_recipe_of_nano_is_one_that_it_was_raised_on():
    for file in (*Path("configs/self_play").glob("nano*.yaml"), Path("configs/evaluate/offline.yaml")):
        assert "note" not in check_file(file), file


def test_suites_of_full_size_are_not_for_nano():
    suites = [{"name": "scenes", "look": "compact"}, {"name": "charts"}, {"name": "chartqa", "look": "compact"}]
    [note] = notes_on(EvaluateConfig(suites=suites))
    assert "shown charts in full size, chartqa: many" in note
    assert notes_on(EvaluateConfig(suites=suites, policy={"base": "/models/qwen"})) == ()
    assert notes_on(EvaluateConfig(suites=suites[:1])) == ()


def test_pairs_that_are_there_speak_for_themselves():
    sizes = {pair.domain: {pair.original.size} for pair in (*scene_pairs(1), plain_pair())}
    [note] = notes_on_pairs("nano", sizes)
    assert note.startswith(KNOWN)
    assert notes_on_pairs("nano", {"scenes": {(112, 112)}}) == ()
    assert notes_on_pairs("/models/qwen", sizes) == ()


def test_check_config_and_plan_say_it(tmp_path):
    document = {"parameters": {"config": {**RECIPE, "pairs": {"mix": {"charts": 1.0}}}}}
    file = tmp_path / "charts.yaml"
    file.write_text(yaml.safe_dump(document))
    assert check_file(file).splitlines()[1].startswith(f"note: {KNOWN}charts")
    plan = make_plan(recipe(pairs={"mix": {"charts": 1.0}}), prompt=100, image=16)
    assert plan.lengths == Lengths(100, 16)
    assert [line for line in table(plan, 8) if line.startswith(f"note: {KNOWN}charts")]
