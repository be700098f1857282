"""An update measured at one and two layers, scaled to full depth, is what the whole model takes."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from transformers import AutoConfig, AutoModelForImageTextToText

from tests.policy.families import FAMILIES, write_family
from vision_zero.cli.app import cli
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.errors import ConfigError
from vision_zero.performance import depth
from vision_zero.performance.depth import Step, at_depth, measure_update
from vision_zero.training import plan as plan_module
from vision_zero.training.plan import make_plan

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _one_step(monkeypatch):
    monkeypatch.setattr(depth, "TIMES", 1)


def plan_of(base, **settings):
    policy = {"base": str(base), "adapter": {"rank": 4}, **settings.pop("policy", {})}
    config = SelfPlayConfig.model_validate({"policy": policy, "learning": settings})
    return make_plan(config, prompt=60, image=16)


def with_layers(folder, layers):
    """The policy in a folder with another number of layers in its decoder."""
    config = at_depth(AutoConfig.from_pretrained(str(folder)), 1)
    text = config.get_text_config(decoder=True)
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:1] * layers
    text.num_hidden_layers = layers
    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("how", [{}, {"gradient_checkpointing": True}, {"bf16": True}, {"policy": {"adapter": None}}])
def test_what_five_layers_keep_follows_from_one_and_two(how, tmp_path):
    folder = with_layers(write_family("qwen2_5_vl", tmp_path / "base"), 5)
    plan = plan_of(folder, **how)
    scaled, whole = measure_update(plan), measure_update(plan, depths=(4, 5))
    assert scaled.layers == 5
    assert scaled.step.kept == pytest.approx(whole.step.kept, rel=0.001)
    assert scaled.step.seconds != 0
    assert scaled.step.peak is None


def test_activations_are_those_that_are_estimated(tmp_path):
    folder = with_layers(write_family("qwen2_5_vl", tmp_path / "base"), 40)
    measured = measure_update(plan_of(folder))
    assert measured.step.kept == pytest.approx(measured.estimated_kept, rel=0.05)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_measured(family, tmp_path):
    found = measure_update(plan_of(write_family(family, tmp_path / family)))
    assert found.step.kept > 0


def test_a_base_that_is_out_of_reach_is_measured_by_its_shipped_configuration(tmp_path, monkeypatch):
    folder = write_family("qwen2_5_vl", tmp_path / "base")
    expected = measure_update(plan_of(folder)).step.kept
    monkeypatch.setattr(plan_module, "shipped_config", lambda base: folder)
    plan = plan_of("nobody/has-this")
    assert plan.is_out_of_reach
    assert measure_update(plan).step.kept == expected


def test_numbers_at_two_depths_are_scaled_by_their_difference(tmp_path, monkeypatch):
    steps = {1: Step(1.0, 100.0, 1000.0), 2: Step(1.5, 130.0, 1200.0)}
    monkeypatch.setattr(depth, "_measured", lambda plan, config, *_: steps[config.get_text_config().num_hidden_layers])
    folder = with_layers(write_family("qwen2_5_vl", tmp_path / "base"), 5)
    found = measure_update(plan_of(folder))
    assert found.step == Step(3.0, 220.0, 1800.0)
    told = "\n".join(replace(found, estimated_seconds=2.5).lines())
    assert "1 and 2 of 5 layers at full width" in told
    assert "3.00 s, 2.50 s estimated" in told


def test_what_cannot_be_measured_is_one_line(tmp_path, monkeypatch):
    folder = write_family("qwen2_5_vl", tmp_path / "base")
    with pytest.raises(ConfigError, match=r"--measure reads tokens alone: it needs policy\.train_on language"):
        measure_update(plan_of(folder, policy={"train_on": "both"}))
    monkeypatch.setattr(depth.psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(
        ConfigError, match=r"1 layers of .* at full width need 0\.0 GB, and 0\.0 GB are free: leave --measure out"
    ):
        measure_update(plan_of(folder))


def test_the_command_prints_it_beside_the_estimate():
    told = CliRunner().invoke(cli, ["plan", "configs/self_play/nano.yaml", "--memory", "8", "--measure"], catch_exceptions=False)
    assert told.exit_code == 0
    *_, first, seconds, activations = told.output.splitlines()
    assert first.startswith("measured on a CPU with")
    assert "forward and backward" in seconds
    measured, estimated = activations.removeprefix("  activations").removesuffix(" GB estimated").split(" GB, ")
    assert float(measured) == pytest.approx(float(estimated), abs=0.02)
