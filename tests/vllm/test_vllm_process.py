"""The contract with vLLM itself, by a server of its CPU build: ``make test-vllm`` installs and starts it."""

import gc
import os
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.make import scene_pairs
from tests.training.jobs import run_stage, start, tiny_job
from tests.vllm.server import NAME, SAME_LOG_PROBS, SAME_PIXELS, vllm_process
from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import PolicyConfig, SamplingConfig, SamplingParams
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_base, load_policy
from vision_zero.policy.openai_client import Server
from vision_zero.policy.vllm import VllmModel, contact
from vision_zero.policy.vllm_check import check_log_probs_mode, measured_difference
from vision_zero.policy.vllm_server import served_models
from vision_zero.randomness import Seed

PROGRAM = Path(os.environ.get("VLLM_PROGRAM", ".venv-vllm/bin/vllm")).absolute()
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"there is no {PROGRAM}: make test-vllm installs it"),
]
QUESTIONS = ("Player 1 of 4, spy, round 1.\nYour clue?", "Who is the spy?", "Who is the spy?")
CHATS = [user_message(text, pair.original) for pair in scene_pairs(4) for text in QUESTIONS]
LAYERS = r".*language_model.*\.(q_proj|v_proj|up_proj|down_proj)"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with vllm_process(PROGRAM, tmp_path_factory.mktemp("vllm"), *SAME_PIXELS, *SAME_LOG_PROBS) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture
def served(server, shared):
    return VllmConfig(url=server.url, model=NAME, adapters=str(shared), tries=1, timeout=120.0)


@pytest.fixture
def config(served):
    return PolicyConfig(base="nano", server=served)


def adapter_of(rank, folder):
    torch.manual_seed(rank)
    model, _ = load_base(PolicyConfig(base="nano"))
    model = get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=LAYERS, task_type="CAUSAL_LM"))
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.05)
    model.save_pretrained(folder)
    return folder


def said(policy, **how):
    return [completion.tokens for completion in replace(policy, **how).complete(CHATS, 24, Seed(1))]


def test_greedy_replies_and_scores_of_the_base_are_those_of_the_model(config, served):
    here, there = load_policy(PolicyConfig(base="nano"), None), load_policy(config, None)
    assert said(there, greedy=True) == said(here, greedy=True)
    assert measured_difference(served) < 2e-5
    assert said(there, greedy=True, reply_prefix="I see:") == said(here, greedy=True, reply_prefix="I see:")
    assert contact(served) == 512


def test_sampled_replies_are_repeated_and_those_of_one_prompt_differ(config):
    policy = load_policy(config, None)
    replies = said(policy)
    assert said(policy) == replies
    assert sum(one != other for one, other in zip(replies[1::3], replies[2::3], strict=True)) >= 2


def test_adapters_are_loaded_play_as_here_and_leave(config, served, shared, tmp_path):
    files = adapter_of(8, tmp_path)
    here, there = load_policy(PolicyConfig(base="nano"), files), load_policy(config, files)
    assert said(there, greedy=True) == said(here, greedy=True) != said(here, greedy=True, as_base=True)
    assert said(there, greedy=True, as_base=True) == said(here, greedy=True, as_base=True)
    begun, options = ["x \\boxed{"] * 3, [["1}", "2}", "3}"]] * 3
    assert there.likeliest(CHATS[:3], begun, options) == here.likeliest(CHATS[:3], begun, options)
    assert len(served_models(served)) == 2
    del there
    gc.collect()
    assert set(served_models(served)) == {NAME}
    assert not list(shared.iterdir())


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.3])
def test_log_probs_of_sampled_replies_are_those_of_the_model_at_that_temperature(config, tmp_path, temperature):
    files = adapter_of(8, tmp_path)
    here, there = load_policy(PolicyConfig(base="nano"), files), load_policy(config, files)
    replies = there.sample(CHATS, SamplingParams(temperature, 24), Seed(2), ["a chat"] * len(CHATS))
    gaps = [
        abs(ours - theirs)
        for chat, reply in zip(CHATS, replies, strict=True)
        for ours, theirs in zip(here.log_probs(chat, reply.tokens, temperature), reply.log_probs, strict=True)
    ]
    assert len(gaps) > 60
    assert max(gaps) < 1e-3
    assert fmean(gaps) < 2e-5


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_training_on_its_replies_has_importance_sampling_ratios_of_one(stage, served, tmp_path):
    job = tiny_job("nano", tmp_path, start(stage), iterations=2)
    sampling = SamplingConfig(max_clue_tokens=24, max_vote_tokens=48, temperature=0.7, vote_temperature=1.3)
    job = replace(job, policy=job.policy.model_copy(update={"server": served, "sampling": sampling}))
    first, second = (record.metrics for record in run_stage(job).state.history)
    for metrics in (first, second):
        assert metrics["sampling/sampling_logp_difference/max"] < 1e-3
        assert metrics["sampling/sampling_logp_difference/mean"] < 2e-5
        ratios = [metrics[f"sampling/importance_sampling_ratio/{name}"] for name in ("min", "mean", "max")]
        assert ratios == pytest.approx([1.0] * 3, abs=5e-3)
        assert metrics["sampling/limited"] == 0


def test_an_adapter_that_the_server_has_lost_is_handed_over_again(config, served, tmp_path, caplog):
    policy = load_policy(config, adapter_of(8, tmp_path))
    before = said(policy, greedy=True)
    Server(served, PolicyError).post("unload_lora_adapter", {"lora_name": policy.served.name}, bytes)  # as a restart does
    assert said(policy, greedy=True) == before
    assert "handed over again" in caplog.text


def test_a_rank_that_is_too_high_is_named(config, shared, tmp_path):
    with pytest.raises(PolicyError, match=r"LoRA rank 64 is greater than .*start it with --max-lora-rank 64 or more"):
        load_policy(config, adapter_of(64, tmp_path))
    assert not list(shared.iterdir())


def test_a_reply_beyond_the_servers_context_is_refused(config):
    with pytest.raises(PolicyError, match=r"more than the server's context of 512"):
        load_policy(config, None).complete(CHATS[:1], 500, Seed(1))


def test_other_names_and_paths_are_told(config, served):
    other = config.model_copy(update={"server": served.model_copy(update={"model": "another"})})
    with pytest.raises(PolicyError, match=r"serves nano.*, and not policy.server.model 'another'"):
        said(load_policy(other, None))
    bare = config.model_copy(update={"server": served.model_copy(update={"url": served.url.removesuffix("/v1")})})
    with pytest.raises(PolicyError, match=r"HTTP 404: .*is the url http://127\.0\.0\.1:\d+/v1\?"):
        said(load_policy(bare, None))


def test_a_tied_output_layer_that_keeps_the_old_weights_is_noticed(config, served):
    """The last test of this server, whose weights it replaces. If a later vLLM takes them over, the guide can say so."""
    policy = load_policy(config.model_copy(update={"server": None}), None)
    with torch.no_grad():
        embeddings = policy.model.get_input_embeddings().weight
        embeddings.add_(0.1 * embeddings.std() * torch.randn_like(embeddings))
    policy = replace(policy, served=VllmModel.all_weights(served, policy.model))
    with pytest.raises(PolicyError, match=r"log-probs differ by .* on average, and 0\.0001 is allowed"):
        said(policy)


@pytest.fixture(scope="module")
def other_pixels(tmp_path_factory):
    with vllm_process(PROGRAM, tmp_path_factory.mktemp("vllm")) as running:
        yield running


def test_log_probs_of_temperature_one_are_noticed(other_pixels, shared):
    served = VllmConfig(url=other_pixels.url, model=NAME, adapters=str(shared), tries=1)
    sampling = SamplingConfig(temperature=0.7)
    with pytest.raises(PolicyError, match="start it with --logprobs-mode processed_logprobs"):
        check_log_probs_mode(served, load_policy(PolicyConfig(base="nano", server=served, sampling=sampling), None))


def test_images_that_the_server_resizes_differently_are_noticed(other_pixels, shared):
    served = VllmConfig(url=other_pixels.url, model=NAME, adapters=str(shared), tries=1)
    policy = load_policy(PolicyConfig(base="nano", server=served), None)
    image = CHATS[0][0]["content"][0]["image"].resize((200, 150))
    with pytest.raises(PolicyError, match=r"log-probs differ by .* on average, and 0\.0001 is allowed"):
        policy.complete([user_message(QUESTIONS[0], image)], 24, Seed(1))
