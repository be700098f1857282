"""Cached steps run again when what they are made of has changed, wherever it lies, and when their results are gone; else not."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.errors import ArtifactError

pytestmark = pytest.mark.zenml

CACHED = ("render_scenes", "edit_photos", "validate_pairs", "measure_base")
"""Of a run that mixes scenes and photos."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of photos, each of them with something that can be edited, and their mirror images."""
    from skimage import data

    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee"):
        image = Image.fromarray(getattr(data, name)())
        image.thumbnail((240, 240))
        image.save(folder / f"{name}.png")
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / f"{name}_mirrored.png")
    return folder


@pytest.fixture(scope="module")
def base(tiny_base, tmp_path_factory):
    return shutil.copytree(tiny_base, tmp_path_factory.mktemp("base") / "base")


@pytest.fixture(scope="module")
def run(photos, base):
    """Runs the cached steps of self-play; returns which of them ran."""
    from tests.pipelines.cached_steps import pairs_and_base

    config = SelfPlayConfig.model_validate(
        {
            "iterations_per_round": 1,
            "pairs": {
                "mix": {"scenes": 1.0, "photos": 1.0},
                "scenes": NANO_SCENES.model_dump(),
                "photos": {"location": str(photos), "width": 112, "height": 112},
                "held_out_share": 0.5,
                "quality": {"probe_pairs": 0, "max_quarantined": 1.0},
            },
            "game": {"prompt": "compact", "remember_reasoning": False, "civilians": 2, "rounds": 1},
            "policy": {"base": str(base), "sampling": {"max_clue_tokens": 4, "max_vote_tokens": 4}},
            "learning": {"games_per_iteration": 4},
            "evaluation": {"pairs": 4, "questions": 4, "question_tokens": 8, "resamples": 100, "opponents": []},
            "promotion": {"pairs": 2, "questions": 0},
        }
    )

    def made():
        result = pairs_and_base.with_options(execution_mode="fail_fast")(config=config)
        return result, {name for name in CACHED if str(result.steps[name].status) == "completed"}

    made()  # whatever is in the cache already: from now on it is known
    return made


def test_nothing_runs_again_where_nothing_changed(run):
    assert run()[1] == set()


def test_other_photos_at_the_same_address_are_edited_anew(run, photos):
    for path in photos.iterdir():
        Image.open(path).rotate(180).save(path)
    before = run()
    assert {"edit_photos", "validate_pairs"} <= before[1] <= {"edit_photos", "validate_pairs", "measure_base"}
    assert run()[1] == set()


@pytest.mark.parametrize("name", ["chat_template.jinja", "tokenizer.json", "processor_config.json", "model.safetensors"])
def test_a_base_with_another_file_is_measured_anew(run, base, name):
    path = base / name
    before = path.read_bytes()
    # Nothing that these change: of the weights a value, of the others white space.
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]) if name.endswith(".safetensors") else before + b"\n")
    assert run()[1] == {"measure_base"}


def test_results_that_are_gone_are_made_again(run):
    result, ran = run()
    assert ran == set()
    for step, name in (("edit_photos", "photos"), ("measure_base", "base_games"), ("validate_pairs", "verdict")):
        shutil.rmtree(result.steps[step].outputs[name][0].uri)
    (Path(result.steps["render_scenes"].outputs["scenes"][0].uri) / "pairs.parquet").unlink()
    assert run()[1] == {"edit_photos", "measure_base", "validate_pairs", "render_scenes"}
    assert run()[1] == set()


def test_a_result_that_goes_while_it_is_needed_is_made_again_by_the_next_run(run):
    """Nothing looks for it in time: whoever loads it finds that it is gone, and says so."""
    result, _ = run()
    artifact = result.steps["render_scenes"].outputs["scenes"][0]
    shutil.rmtree(artifact.uri)
    with pytest.raises(ArtifactError, match="it is gone from the artifact store: run again"):
        artifact.load()
    from zenml.client import Client

    assert Client().get_run_step(artifact.producer_step_run_id).cache_expires_at is not None
    assert run()[1] == {"render_scenes"}


def test_no_cached_step_looks_for_files_below_the_current_folder():
    """ZenML looks for a policy's file dependencies there, so that a run from elsewhere ended before its first cached step."""
    import steps.pairs
    import steps.stages

    for step in (steps.pairs.make_pairs, steps.pairs.validate_pairs, steps.stages.measure_base):
        assert step.configuration.cache_policy.file_dependencies is None
        assert step.configuration.cache_policy.source_dependencies is None
