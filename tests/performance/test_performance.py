"""The benchmarks of play and of iterations measure what they say, on the tiny policy."""

import itertools
import json
import subprocess
import time

import pytest

from tests.make import write_tiny_recipe
from vision_zero.performance.rollouts import measure_rollouts
from vision_zero.performance.training import measure_iterations, measure_updates
from vision_zero.policy.loading import load_base
from vision_zero.recipes.check import read_self_play

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recipe(tiny_base, tmp_path_factory):
    return write_tiny_recipe(tmp_path_factory.mktemp("bench") / "recipe.yaml", tiny_base, "bench", {})


@pytest.fixture
def ticking(monkeypatch):
    """A clock that goes on by so many seconds each time that it is looked at: what is measured depends on no machine."""

    def start(seconds):
        looks = itertools.count()
        monkeypatch.setattr(time, "perf_counter", lambda: seconds * next(looks))

    return start


def test_rollouts_are_measured_in_three_ways(recipe, ticking):
    ticking(1.0)
    found = measure_rollouts(read_self_play(recipe), games=6, single_games=1)
    ratio = found["one_at_a_time"]["seconds_a_game"] / found["lockstep"]["seconds_a_game"]
    assert found["lockstep_against_one_at_a_time"] == pytest.approx(ratio, rel=0.1)
    votes = found["votes"]
    assert votes["batch"] == 12  # two civilians a game
    assert votes["tokens"] <= 12 * 6
    assert votes["against_bare_forward"] > 1
    assert votes["tokens_per_s"] < votes["bare_forward_tokens_per_s"]
    assert 0 < votes["ms_a_step"] < 1000 * votes["tokens"] / votes["tokens_per_s"]
    assert votes["step_against_reading_weights"] is None, "a CPU's memory has no data sheet here"


def test_the_parts_of_an_iteration_add_up(recipe, ticking):
    ticking(1.0)
    found = measure_iterations(read_self_play(recipe), iterations=1)
    assert set(found["clue"]) == {"seconds", "play", "reference", "update"}
    assert set(found["decision"]) == {"seconds", "play", "vote", "reference", "update"}
    for stage in ("clue", "decision"):
        parts = [seconds for part, seconds in found[stage].items() if part != "seconds"]
        assert min(parts) >= 0
        assert sum(parts) == pytest.approx(found[stage]["seconds"], abs=0.01 * len(parts)), "but for the second decimal"


def test_an_update_is_measured_by_its_tokens(recipe, ticking):
    ticking(0.0001)
    config = read_self_play(recipe)
    found = measure_updates(config, iterations=2)
    decoder = load_base(config.policy)[0].get_decoder()
    parameters = sum(parameter.numel() for parameter in decoder.layers.parameters())
    for stage in ("clue", "decision"):
        update = found[stage]
        assert update["tokens"] > 4 * 16, "four replies at least, each to an image of 16 tokens and more"
        assert 0 <= update["padding"] < 0.5
        assert update["tokens_per_s"] == pytest.approx(update["tokens"] / update["seconds"], rel=0.02)
        assert update["tflop_per_s"] == pytest.approx(4 * parameters * update["tokens_per_s"] / 1e12, rel=0.1, abs=1e-4)
        assert update["of_peak"] is None
    assert found["clue"]["shared"] == found["decision_in_rows"]["shared"] == 0 < found["decision"]["shared"]
    assert found["decision_in_rows"]["tokens"] > found["decision"]["tokens"]
    assert all(gain > 0 for gain in found["times_as_fast"].values())
    assert list(found["times_as_fast"]) == ["update", "reference", "both"]


def test_without_sharing_there_is_nothing_to_compare(recipe):
    config = read_self_play(recipe)
    config = config.model_copy(update={"learning": config.learning.model_copy(update={"shared_prefix": False})})
    found = measure_updates(config, iterations=1)
    assert found["decision"]["shared"] == 0
    assert "times_as_fast" not in found


@pytest.mark.cli
def test_what_is_no_recipe_is_one_line(tmp_path, preloaded):
    for content in ("parameters: {config: {seed: red}}", "[]"):
        (tmp_path / "recipe.yaml").write_text(content)
        command = [preloaded / "vision-zero", "bench", "rollout", str(tmp_path / "recipe.yaml")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


@pytest.mark.cli
def test_the_command_prints_json(recipe, preloaded):
    command = [preloaded / "vision-zero", "bench", "rollout", str(recipe), "--games", "2", "--single-games", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["lockstep"]["games"] == 2
