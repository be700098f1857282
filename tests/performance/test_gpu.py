"""The GPU's benchmark runs, in small, on a machine without one: what cannot be measured there is null, and says why."""

import json

import pytest
from click.testing import CliRunner

from vision_zero.cli.app import cli
from vision_zero.errors import ConfigError
from vision_zero.performance import gpu
from vision_zero.performance.gpu import BASES, NO_GPU, measure_gpu

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


def nulls(found, path=""):
    if isinstance(found, dict):
        return {name for key, value in found.items() for name in nulls(value, f"{path} / {key}" if path else key)}
    return {path} if found is None else set()


def test_everything_is_measured_or_null_with_a_reason(tmp_path, monkeypatch):
    # As on a GPU, where only replies are scored: elsewhere TRL scores every token of 150,000 in every prompt.
    monkeypatch.setattr("trl.trainer.utils._use_triton", lambda device: True)
    out = tmp_path / "gpu.json"
    done = CliRunner().invoke(cli, ["bench", "gpu", "--base", BASES[0], "--small", "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads(out.read_text())
    assert found == json.loads(done.output)
    assert found["machine"]["gpu"] is None
    base, missing = found[BASES[0]], found["not_measured"]
    assert set(missing) == nulls({BASES[0]: base})
    assert set(missing.values()) == {NO_GPU}
    lockstep = base["play"]["in_lockstep"]
    assert lockstep["batch"] == 6, "three voters in each of two games"
    assert lockstep["games_an_hour"] > 0 < lockstep["ms_a_step"]
    assert base["play"]["compiled"] is base["flash"] is None
    assert base["play"]["one_at_a_time"]["games_an_hour"] > 0
    for stage in ("clue", "decision"):
        prompts = 8 if stage == "clue" else 1
        assert 400 * prompts < base["update"][stage]["tokens"] < 1000 * prompts
        assert base["update"][stage]["of_peak"] is None
    assert base["update"]["decision"]["shared"] > 0.5
    assert base["memory"]["update"]["estimated_gb"] > 0
    assert 0.3 < base["merge"]["lost_at_0.0001"] < 0.4, "of a layer of 48 by 32 weights; two thirds and more of a large one"
    assert base["merge"]["lost_at_0.001"] < 0.1


def test_without_a_gpu_the_full_size_ends_in_one_line():
    with pytest.raises(ConfigError, match=r"^this machine has no GPU that PyTorch can use; --small runs the benchmark on a CPU"):
        measure_gpu(BASES[:1])


def test_what_fails_says_why_and_the_rest_is_measured(monkeypatch):
    def fails(self):
        raise RuntimeError("CUDA error: no kernel image is available\nfor execution on the device")

    for name in ("_play", "_update", "_merge"):
        monkeypatch.setattr(gpu._Shape, name, fails)
    found = measure_gpu(BASES[:1], small=True)
    assert found[BASES[0]]["play"] is found[BASES[0]]["memory"] is None
    assert found["not_measured"][f"{BASES[0]} / play"] == "RuntimeError: CUDA error: no kernel image is available"
    late = measure_gpu(BASES[:1], small=True, minutes=0)
    assert set(late["not_measured"].values()) == {"the time was up", "neither play nor training could be measured"}


def test_other_models_are_refused():
    with pytest.raises(ConfigError, match="there is no benchmark for 'nano': take one of Qwen/Qwen2"):
        measure_gpu(["nano"], small=True)
