"""On a GPU the policy is the one that it is on a CPU: the same replies, the same update, compiled or not. ``make test-gpu``.

Left out of ``make test``; without a GPU each is skipped, or fails if REQUIRE_GPU is set.
"""

import os
from dataclasses import replace

import pytest
import torch

from tests.make import scene_pairs
from tests.policy.families import FAMILIES, write_family
from tests.training.jobs import start, tiny_job, votes_from_any_reply
from vision_zero.config.policy import PolicyConfig, SamplingConfig
from vision_zero.performance.fixed_replies import FixedReplies
from vision_zero.performance.gpu import measure_gpu
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_base, load_policy
from vision_zero.randomness import Seed
from vision_zero.training.self_play import LOOPS

pytestmark = pytest.mark.gpu
WORDS = 60
"""Ordinary tokens of the tiny tokenizers."""


@pytest.fixture(autouse=True)
def device():
    if torch.cuda.is_available():
        return "cuda"
    if os.environ.get("REQUIRE_GPU"):
        pytest.fail("REQUIRE_GPU is set, and there is no GPU that PyTorch can use")
    return pytest.skip("needs a GPU")


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_replies_are_those_of_the_cpu(family, device, tmp_path):
    config = PolicyConfig(base=str(write_family(family, tmp_path / family)), sampling=SamplingConfig(batch_size=4))
    asked = [user_message(f"Who is the spy? Player {number}", pair.original) for number, pair in enumerate(scene_pairs(4))]
    here, there = (replace(load_policy(config, None, device=place), greedy=True) for place in ("cpu", device))
    one, other = (policy.complete(asked, 8, Seed(0)) for policy in (here, there))
    # A tie of two tokens may fall otherwise on another device; most replies have none.
    assert sum(a.tokens == b.tokens for a, b in zip(one, other, strict=True)) >= 3


def test_a_compiled_step_draws_the_same_replies(device, tiny_base):
    config = PolicyConfig(base=str(tiny_base), sampling=SamplingConfig(batch_size=4))
    asked = [user_message(f"Who is the spy? Player {number}", pair.original) for number, pair in enumerate(scene_pairs(4))]
    plain, compiled = (
        replace(load_policy(config.model_copy(update={"compiled": is_compiled}), None, device=device), greedy=True)
        for is_compiled in (False, True)
    )
    one, other = (policy.complete(asked, 12, Seed(0)) for policy in (plain, compiled))
    assert sum(a.tokens == b.tokens for a, b in zip(one, other, strict=True)) >= 3


@pytest.mark.parametrize("stage", LOOPS)
def test_an_update_has_the_gradient_of_the_cpu(stage, device, tiny_base, tmp_path, monkeypatch):
    votes_from_any_reply(monkeypatch)
    norms = []
    for place in ("cpu", device):
        job = tiny_job(tiny_base, tmp_path, start(stage), iterations=1)
        model, processor = load_base(job.policy)
        if place == "cpu":
            monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        loop = LOOPS[stage](model, processor, job)
        loop.player = lambda: FixedReplies(5, WORDS)
        loop.run()
        monkeypatch.undo()
        votes_from_any_reply(monkeypatch)
        norms.append(loop.progress.state.history[-1].metrics["grad_norm"])
    assert norms[0] > 0
    assert norms[1] == pytest.approx(norms[0], rel=1e-2)


def test_the_benchmark_measures_every_figure_but_those_that_it_says_it_cannot(device):
    found = measure_gpu(["Qwen/Qwen2.5-VL-3B-Instruct"], small=True)
    assert found["machine"]["gpu"]
    base = found["Qwen/Qwen2.5-VL-3B-Instruct"]
    assert base["play"]["compiled"]["games_an_hour"] > 0
    assert base["memory"]["update"]["measured_gb"] > 0
    assert {path.rsplit(" / ", 1)[-1] for path in found["not_measured"]} <= {"flash", "of_peak", "step_against_reading_weights"}
