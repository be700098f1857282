"""The contract with vLLM itself where it reloads all weights: ``make test-vllm`` installs and starts it."""

import json
import shutil
from dataclasses import replace

import pytest
import torch

from tests.training.jobs import run_stage, start, tiny_job, votes_from_any_reply
from tests.vllm.server import NAME, SAME_LOG_PROBS, SAME_PIXELS, vllm_process
from tests.vllm.test_vllm_process import CHATS, PROGRAM, pytestmark, said
from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import PolicyConfig, SamplingConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.base_models import nano_folder
from vision_zero.policy.loading import load_base, load_policy
from vision_zero.policy.vllm import VllmModel
from vision_zero.policy.vllm_check import measured_difference
from vision_zero.policy.vllm_handed import HandedWeights
from vision_zero.policy.vllm_server import AS_STARTED, beside, weight_version
from vision_zero.training.progress import RATIO

__all__ = ["pytestmark"]
EVERYTHING = {"adapter": None, "train_on": "both"}


@pytest.fixture(scope="module")
def untied(tmp_path_factory):
    """nano with an output layer of its own, as the larger released models have."""
    folder = tmp_path_factory.mktemp("untied") / "base"
    shutil.copytree(nano_folder(), folder)
    model, _ = load_base(PolicyConfig(base="nano"))
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    model.config.tie_word_embeddings = model.config.text_config.tie_word_embeddings = False
    model.save_pretrained(folder)
    assert not json.loads((folder / "config.json").read_text())["tie_word_embeddings"]
    return folder


@pytest.fixture(scope="module")
def server(untied, tmp_path_factory):
    folder, same = tmp_path_factory.mktemp("vllm"), (*SAME_PIXELS, *SAME_LOG_PROBS)
    with vllm_process(PROGRAM, folder, *same, base=untied, takes_adapters=False) as running:
        yield running


@pytest.fixture
def served(server, tmp_path):
    (tmp_path / "shared").mkdir()
    return VllmConfig(url=server.url, model=NAME, adapters=str(tmp_path / "shared"), tries=1, timeout=120.0)


@pytest.fixture
def config(served, untied):
    return PolicyConfig(base=str(untied), server=served, **EVERYTHING)


def here(config):
    return load_policy(config.model_copy(update={"server": None}), None)


def changed(policy, part):
    """Other weights in one part of the model."""
    torch.manual_seed(len(part))
    with torch.no_grad():
        for name, weights in policy.model.named_parameters():
            if part in name:
                weights.add_(0.1 * weights.std() * torch.randn_like(weights))
    return policy


@pytest.mark.parametrize("part", ["layers", "lm_head", "embed", "visual"])
def test_the_server_takes_over_every_part_and_replies_as_this_process(part, config, served):
    policy = changed(here(config), part)
    before = said(policy, greedy=True)
    policy = replace(policy, served=VllmModel.all_weights(served, policy.model))
    assert said(policy, greedy=True) == before
    assert measured_difference(served) < 2e-5
    assert [weight_version(one) for one in served.servers] == [policy.served.version]


def test_weights_under_the_name_of_those_that_it_started_with_are_not_used(config, served):
    policy = changed(here(config), "layers")
    policy = replace(policy, served=VllmModel.all_weights(served, policy.model))
    said(policy)
    beside(served).post("update_weight_version", {"new_version": AS_STARTED}, bytes)  # as after a restart
    with pytest.raises(PolicyError, match=r"has lost the weights .*, as after a restart"):
        said(policy)


def test_a_folder_that_the_server_does_not_see_is_told(config, served, tmp_path):
    policy = here(config)
    before = said(policy, greedy=True)
    handed = HandedWeights.of(served, policy.model.save_pretrained)
    handed.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(PolicyError, match=r"HTTP 500: .*does it see .*Restart it: some weights may be replaced"):
        handed.load()
    assert weight_version(served).endswith("-loading")
    assert said(load_policy(config, None), greedy=True) == before, "and the next weights are taken over all the same"


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_training_on_its_replies_has_importance_sampling_ratios_of_one(stage, served, untied, tmp_path, monkeypatch):
    votes_from_any_reply(monkeypatch)
    job = tiny_job(str(untied), tmp_path, start(stage), iterations=2, learning_rate=1e-4)
    sampling = SamplingConfig(max_clue_tokens=24, max_vote_tokens=48, temperature=0.7, vote_temperature=1.3)
    job = replace(job, policy=job.policy.model_copy(update={"server": served, "sampling": sampling, **EVERYTHING}))
    first, second = (record.metrics for record in run_stage(job).state.history)
    for metrics in (first, second):
        assert metrics["sampling/sampling_logp_difference/max"] < 1e-3
        ratios = [metrics[f"{RATIO}/{of}"] for of in ("min", "mean", "max")]
        assert ratios == pytest.approx([1.0] * 3, abs=5e-3)
    assert second["kl"] > 0


def test_the_base_is_sampled_here(config, untied, tmp_path):
    base = load_policy(PolicyConfig(base=str(untied), **EVERYTHING), None)
    trained = tmp_path / "trained"
    changed(base, "layers").model.save_pretrained(trained)
    theirs, ours = load_policy(config, trained), load_policy(config.model_copy(update={"server": None}), trained)
    assert said(theirs, greedy=True) == said(ours, greedy=True)
    assert said(theirs, greedy=True, as_base=True) == said(ours, greedy=True, as_base=True) != said(ours, greedy=True)
    assert len(CHATS) == 12
