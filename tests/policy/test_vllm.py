"""Replies from a vLLM server are those of the model itself; what is trained is on the server, and nothing is left there."""

import gc
import shutil
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise

import pytest
from pydantic import ValidationError

from tests.make import scene_pairs, write_tiny_recipe
from tests.policy.vllm_server import BASE, vllm_server
from tests.training.jobs import ITERATIONS, run_stage, start, tiny_job, votes_from_any_reply
from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.errors import PolicyError
from vision_zero.performance.rollouts import measure_rollouts
from vision_zero.policy import vllm_server as vllm_server_module
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_policy
from vision_zero.policy.vllm import contact
from vision_zero.policy.vllm_server import let_sleep, weight_version
from vision_zero.randomness import Seed
from vision_zero.recipes.check import read_self_play
from vision_zero.training.trl_adapter import TrlTrainer

pytestmark = pytest.mark.slow

CHATS = [
    user_message(text, pair.original)
    for pair in scene_pairs(3)
    for text in ("Player 1 of 4, spy, round 1.\nYour clue?", "Who is the spy?", "Who is the spy?")
]


@pytest.fixture
def server(tiny_base):
    with vllm_server(tiny_base) as standing:
        yield standing


@pytest.fixture
def config(server, shared, tiny_base):
    served = VllmConfig(url=server.url, model=BASE, adapters=str(shared), tries=2, first_wait=0.0, timeout=20.0)
    return PolicyConfig(base=str(tiny_base), server=served)


def said(policy, **how):
    completions = replace(policy, **how).complete(CHATS, 8, Seed(1))
    return [completion.tokens for completion in completions]


def test_greedy_replies_of_policy_and_base_are_those_of_the_model(config, server, trained):
    here, there = load_policy(config.model_copy(update={"server": None}), trained), load_policy(config, trained)
    assert said(there, greedy=True) == said(here, greedy=True)
    assert said(there, greedy=True, as_base=True) == said(here, greedy=True, as_base=True) != said(here, greedy=True)
    assert {body["model"] == BASE for name, body in server.asked if name == "chat/completions"} == {True, False}


def test_sampled_replies_differ_by_seed_and_are_repeated_by_it(config):
    policy = load_policy(config, None)
    replies = said(policy)
    assert said(policy) == replies
    assert len(set(replies[1::3] + replies[2::3])) > 3, "two replies to one prompt are sampled apart"


def test_the_replies_to_one_prompt_are_one_request(config, server):
    said(load_policy(config, None))
    numbers = [body["n"] for name, body in server.asked if name == "chat/completions"]
    assert numbers[0] == 4, "the replies that are compared at the start"
    assert sorted(numbers[1:]) == [1, 1, 1, 2, 2, 2]
    server.asked.clear()
    replies = said(load_policy(config, None), greedy=True)
    assert [body["n"] for name, body in server.asked if name == "chat/completions"] == [1] * 6
    assert replies[1::3] == replies[2::3]


def test_the_server_is_told_all_that_it_would_take_from_the_models_files(config, server):
    said(load_policy(config, None))
    body = next(body for name, body in server.asked if name == "chat/completions" and body["temperature"])
    told = {name: body[name] for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "return_token_ids")}
    assert told == {
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "return_token_ids": True,
    }
    assert set(body["logit_bias"].values()) == {-100}


def test_replies_that_are_begun_and_forced_choices_are_the_models_own(config, server, trained):
    here, there = load_policy(config.model_copy(update={"server": None}), trained), load_policy(config, trained)
    assert said(there, greedy=True, reply_prefix="I see:") == said(here, greedy=True, reply_prefix="I see:")
    begun, options = ["1: no. \\boxed{", "", "x \\boxed{"], [["1}", "2}"], ["3}"], ["2}", "3}", "4}"]]
    for how in ({}, {"as_base": True}):
        chosen = [replace(policy, **how).likeliest(CHATS[:3], begun, options) for policy in (here, there)]
        assert chosen[0] == chosen[1]
    forced = [body for name, body in server.asked if body.get("allowed_token_ids")]
    assert len(forced) == 6
    assert {(body["temperature"], body["max_tokens"]) for body in forced} == {(0.0, 1)}


def test_an_adapter_leaves_the_server_with_its_policy(config, server, shared, trained):
    policy = load_policy(config, trained)
    [folder] = (path for path in shared.iterdir() if path.is_dir())
    assert set(server.served) == {BASE, folder.name}
    other = replace(policy, greedy=True)
    del policy
    gc.collect()
    assert folder.is_dir(), "somebody still holds it"
    del other
    gc.collect()
    assert set(server.served) == {BASE}
    assert not list(shared.iterdir())


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_each_iteration_plays_with_what_the_last_one_learned(stage, config, server, shared, tiny_base, tmp_path, monkeypatch):
    votes_from_any_reply(monkeypatch)
    job = tiny_job(tiny_base, tmp_path, start(stage))
    job = replace(job, policy=job.policy.model_copy(update={"server": config.server}))
    result = run_stage(job)
    assert result.state.iteration == ITERATIONS
    loaded = [body["lora_name"] for name, body in server.asked if name == "load_lora_adapter"]
    assert len(loaded) == len(set(loaded)) == ITERATIONS
    by_adapter = [body["model"] for name, body in server.asked if name == "chat/completions" and body["model"] != BASE]
    assert [name for name, after in pairwise([*by_adapter, ""]) if name != after] == loaded
    gc.collect()
    assert set(server.served) == {BASE}
    assert not list(shared.iterdir())


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_a_server_on_the_same_gpu_sleeps_while_this_process_trains(stage, config, server, tiny_base, tmp_path, monkeypatch):
    votes_from_any_reply(monkeypatch)
    server.sleeps_when_told = True
    job = tiny_job(tiny_base, tmp_path, start(stage))
    served = config.server.model_copy(update={"sleeps": True})
    job = replace(job, policy=job.policy.model_copy(update={"server": served}))
    slept = []
    step = TrlTrainer.compute_loss
    monkeypatch.setattr(
        TrlTrainer, "compute_loss", lambda self, *args, **how: slept.append(server.is_asleep) or step(self, *args, **how)
    )
    run_stage(job)
    assert len(slept) >= ITERATIONS
    assert all(slept)
    assert [name for name, _ in server.asked].count("/sleep?level=1") == ITERATIONS
    said(load_policy(config.model_copy(update={"server": served}), None))
    assert not server.is_asleep
    gc.collect()
    assert set(server.served) == {BASE}, "adapters are taken away while it is awake"


def test_a_server_that_cannot_sleep_is_one_line(config):
    sleeping = config.model_copy(update={"server": config.server.model_copy(update={"sleeps": True})})
    with pytest.raises(PolicyError, match=r"HTTP 404: .*start it with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1") as raised:
        said(load_policy(sleeping, None))
    assert "\n" not in str(raised.value)


def test_one_process_does_not_put_the_server_to_sleep_for_others(config):
    served = config.server.model_dump() | {"sleeps": True}
    with pytest.raises(ValidationError, match="set num_processes 1, or leave sleeps out"):
        SelfPlayConfig.model_validate({"policy": {"server": served}, "learning": {"num_processes": 2}})


def refused(path, answer):
    return (400, {"error": "LoRA is not enabled"}) if path == "load_lora_adapter" else answer


def other_prompt(path, answer):
    status, body = answer
    return (status, {**body, "prompt_token_ids": body["prompt_token_ids"][1:]}) if path == "chat/completions" else answer


def rank_too_high(path, answer):
    fault = {"error": {"message": "LoRA rank 4 is greater than max_lora_rank 2."}}
    return (500, fault) if path == "load_lora_adapter" else answer


def other_scores(path, answer):
    """As of a server that resizes images otherwise."""
    status, body = answer
    if path == "chat/completions":
        for choice in body["choices"]:
            for token in choice["logprobs"]["content"]:
                token["logprob"] -= 0.01
    return status, body


def older(path, answer):
    status, body = answer
    return (status, {"choices": body["choices"]}) if path == "chat/completions" else answer


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (refused, r"HTTP 400: .*LoRA is not enabled.*start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"),
        (other_prompt, r"reads the prompt of chat \d of 9 as \d+ tokens, this process as \d+: serve the same base"),
        (rank_too_high, r"HTTP 500: .*greater than max_lora_rank 2.*start it with --max-lora-rank 4 or more"),
        (other_scores, r"log-probs differ by 0\.01 on average, and 0\.0001 is allowed .*--mm-processor-kwargs"),
        (older, r"no token ids and log-probs in .*vLLM sends them from 0\.10\.2 on"),
        (lambda path, answer: (503, "overloaded"), "gave no answer: HTTP 503: overloaded"),
    ],
    ids=["no adapters", "another prompt", "rank too high", "other scores", "no token ids", "busy"],
)
def test_what_goes_wrong_is_one_line(config, server, trained, shared, spoil, words):
    server.spoil = spoil
    with pytest.raises(PolicyError, match=words) as raised:
        said(load_policy(config, trained))
    assert "\n" not in str(raised.value)


def test_a_refused_adapter_is_asked_for_once_and_leaves_nothing(config, server, trained, shared):
    server.spoil = rank_too_high
    with pytest.raises(PolicyError, match="max_lora_rank"):
        load_policy(config, trained)
    assert [name for name, _ in server.asked].count("load_lora_adapter") == 1
    gc.collect()
    assert not list(shared.iterdir())
    assert "unload_lora_adapter" not in [name for name, _ in server.asked]


def test_a_server_that_restarted_is_handed_the_adapter_again(config, server, trained, caplog):
    policy = load_policy(config, trained)
    before = said(policy, greedy=True)
    server.served = {BASE: server.served[BASE]}
    assert said(policy, greedy=True) == before
    assert "has lost the adapter" in caplog.text


def test_adapters_of_killed_processes_are_unloaded_at_the_next_start(config, server, shared, trained, tmp_path):
    lives = load_policy(config, trained)
    left = shared / "vision-zero-0123456789ab"
    shutil.copytree(trained, left)
    server._load_lora_adapter({"lora_name": left.name, "lora_path": str(left)})
    contact.cache_clear()  # as in another process
    said(load_policy(config, None))
    assert set(server.served) == {BASE, lives.served.name}
    assert {path.stem for path in shared.iterdir()} == {lives.served.name}


def test_a_prompt_that_the_servers_context_does_not_hold_is_refused(config, server):
    server.context = 20
    with pytest.raises(PolicyError, match=r"the prompt of .* has \d+ tokens, .* more than the server's context of 20"):
        said(load_policy(config, None))


def test_another_model_at_the_url_is_named(config):
    other = config.model_copy(update={"server": config.server.model_copy(update={"model": "Qwen/Qwen2.5-VL-7B-Instruct"})})
    with pytest.raises(PolicyError, match=r"serves the-base, and not policy.server.model 'Qwen/Qwen2.5-VL-7B-Instruct'"):
        said(load_policy(other, None))


def test_a_url_without_v1_is_told_so(config, server):
    server.sleeps_when_told = False
    bare = config.model_copy(update={"server": config.server.model_copy(update={"url": server.url.removesuffix("/v1")})})
    with pytest.raises(PolicyError, match=r"HTTP 404: .*is the url http://127\.0\.0\.1:\d+/v1\?"):
        said(load_policy(bare, None))


def test_a_sleeping_server_is_not_waited_for(config, server):
    server.sleeps_when_told = server.is_asleep = True
    with pytest.raises(PolicyError, match=r"is asleep and would never answer: POST /wake_up there, or set policy.server.sleeps"):
        said(load_policy(config, None))


@pytest.mark.parametrize("told", [(503, "busy"), (200, {"asleep": False})], ids=["busy", "another answer"])
def test_a_server_that_does_not_say_whether_it_sleeps_is_not_taken_for_awake(config, server, told):
    server.spoil = lambda path, answer: told if path == "/is_sleeping" else answer
    with pytest.raises(PolicyError, match=r"gave no answer: (HTTP 503: busy|ValueError: no is_sleeping in )"):
        said(load_policy(config, None))


def test_a_busy_server_is_not_taken_for_one_without_development_paths(config, server):
    server.spoil = lambda path, answer: (503, "upstream says HTTP 404: not found")
    with pytest.raises(PolicyError, match="gave no answer: HTTP 503: upstream says HTTP 404") as raised:
        weight_version(config.server.servers[0])
    assert raised.value.status == 503


def test_sleep_that_does_not_happen_is_noticed(config, server, monkeypatch):
    server.sleeps_when_told = True
    monkeypatch.setattr(type(server), "_control", lambda self, *_: (200, {"is_sleeping": False}))
    with pytest.raises(PolicyError, match="was told to sleep and is awake"):
        let_sleep(config.server.model_copy(update={"sleeps": True}))


@pytest.mark.parametrize(("freed", "fault"), [(0, True), (2**30, False)])
def test_sleep_that_frees_nothing_is_noticed(config, server, monkeypatch, freed, fault):
    server.sleeps_when_told = True
    monkeypatch.setattr(vllm_server_module, "_free_memory", lambda: 2**30 + freed * server.is_asleep)
    with pytest.raises(PolicyError, match="has freed no memory of this process's GPU") if fault else nullcontext():
        let_sleep(config.server.model_copy(update={"sleeps": True}))


def test_a_server_may_name_an_image_once(config, server):
    policy = load_policy(config, None)
    before = said(policy, greedy=True)

    def short(path, answer):
        if path != "chat/completions":
            return answer
        status, body = answer
        images = set(policy.image_tokens)
        ids = body["prompt_token_ids"]
        kept = [token for place, token in enumerate(ids) if token not in images or ids[place - 1] != token]
        assert len(kept) < len(ids)
        return status, {**body, "prompt_token_ids": kept}

    server.spoil = short
    assert said(policy, greedy=True) == before


def test_a_stuck_server_is_not_waited_for(config, server):
    slow = config.model_copy(update={"server": config.server.model_copy(update={"timeout": 0.2, "tries": 1})})
    with server.lock, pytest.raises(PolicyError, match=r"TimeoutError: .*; if it needs longer than 0\.2 s, raise timeout"):
        said(load_policy(slow, None))


def test_a_folder_that_is_not_there_is_one_line(config, trained):
    away = config.model_copy(update={"server": config.server.model_copy(update={"adapters": "/nowhere/at/all"})})
    with pytest.raises(PolicyError, match=r"policy\.server\.adapters cannot take the adapter of a policy: .*/nowhere/at/all"):
        load_policy(away, trained)


def test_a_server_is_told_the_whole_path_of_an_adapter(config, server, shared, trained, monkeypatch):
    monkeypatch.chdir(shared.parent)
    near = config.model_copy(update={"server": config.server.model_copy(update={"adapters": shared.name})})
    policy = load_policy(near, trained)
    assert [body["lora_path"] for name, body in server.asked if name == "load_lora_adapter"] == [str(shared / policy.served.name)]


def test_a_server_is_handed_adapters_of_the_language_side_alone(config):
    with pytest.raises(ValidationError, match="set train_on language, or adapter null to train all weights"):
        PolicyConfig.model_validate({**config.model_dump(), "train_on": "both"})


def test_the_benchmark_of_play_measures_the_server(config, tiny_base, tmp_path):
    served = {"policy__server": config.server.model_dump()}
    recipe = write_tiny_recipe(tmp_path / "recipe.yaml", tiny_base, "bench", served)
    votes = measure_rollouts(read_self_play(recipe), games=2, single_games=1)["votes"]
    assert votes["server"] == config.server.url
    assert 0 < votes["tokens"] <= 6 * votes["batch"]
    assert votes["tokens_per_s"] > 0
    assert "library_against_ours" not in votes, "nothing is decoded here to compare with"
