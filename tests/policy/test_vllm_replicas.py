"""Several vLLM servers share the requests of one policy; each has its adapters, and one that is down is named."""

import gc
import shutil
from dataclasses import replace

import pytest
from pydantic import ValidationError

from tests.loopback import free_port
from tests.make import scene_pairs
from tests.policy.vllm_server import BASE, vllm_server
from tests.training.jobs import ITERATIONS, run_stage, start, tiny_job, votes_from_any_reply
from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_policy
from vision_zero.policy.vllm import contact
from vision_zero.policy.vllm_check import measured_difference
from vision_zero.policy.vllm_server import let_sleep
from vision_zero.randomness import Seed

pytestmark = pytest.mark.slow

CHATS = [user_message(f"Who is the spy? {number}", pair.original) for number, pair in enumerate(scene_pairs(7))]


@pytest.fixture
def servers(tiny_base):
    with vllm_server(tiny_base) as one, vllm_server(tiny_base) as other:
        yield one, other


@pytest.fixture
def served(servers, shared):
    one, other = servers
    return VllmConfig(url=one.url, replicas=(other.url,), model=BASE, adapters=str(shared), tries=2, first_wait=0.0, timeout=20.0)


@pytest.fixture
def config(served, tiny_base):
    return PolicyConfig(base=str(tiny_base), server=served)


def said(policy, **how):
    return [completion.tokens for completion in replace(policy, **how).complete(CHATS, 8, Seed(1))]


def requests(server, adapters=True):
    """Completions that it was asked for, of adapters or of the base."""
    return [body for name, body in server.asked if name == "chat/completions" and (body["model"] != BASE) == adapters]


def test_requests_are_spread_over_all_servers_and_replies_are_the_models(config, servers, trained):
    here, there = load_policy(config.model_copy(update={"server": None}), trained), load_policy(config, trained)
    assert said(there, greedy=True) == said(here, greedy=True)
    assert [len(requests(server)) for server in servers] == [4, 3]
    assert [len(requests(server, adapters=False)) for server in servers] == [1, 1], "log-probs are compared on each"
    assert measured_difference(config.server) < 1e-5


def test_an_adapter_is_on_all_servers_and_leaves_them_with_its_policy(config, servers, shared, trained):
    policy = load_policy(config, trained)
    [folder] = (path for path in shared.iterdir() if path.is_dir())
    assert [set(server.served) for server in servers] == [{BASE, folder.name}] * 2
    del policy
    gc.collect()
    assert [set(server.served) for server in servers] == [{BASE}] * 2
    assert not list(shared.iterdir())


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_stages_play_on_all_servers(stage, servers, served, shared, tiny_base, tmp_path, monkeypatch):
    votes_from_any_reply(monkeypatch)
    for server in servers:
        server.sleeps_when_told = True
    job = tiny_job(tiny_base, tmp_path, start(stage))
    sleeping = served.model_copy(update={"sleeps": True})
    run_stage(replace(job, policy=job.policy.model_copy(update={"server": sleeping})))
    loaded = [[body["lora_name"] for name, body in server.asked if name == "load_lora_adapter"] for server in servers]
    assert loaded[0] == loaded[1]
    assert len(loaded[0]) == ITERATIONS
    assert all(len(requests(server)) >= ITERATIONS for server in servers)
    for server in servers:
        assert [name for name, _ in server.asked].count("/sleep?level=1") == ITERATIONS
        assert server.is_asleep


def test_a_server_that_is_down_is_named_after_all_tries(config, served, servers):
    gone = f"http://127.0.0.1:{free_port()}/v1"
    down = config.model_copy(update={"server": served.model_copy(update={"replicas": (gone,)})})
    with pytest.raises(PolicyError, match=f"{gone} gave no answer: .*refused") as raised:
        said(load_policy(down, None))
    assert "\n" not in str(raised.value)


def test_a_server_that_fails_in_the_middle_is_named(config, servers, trained):
    policy = load_policy(config, trained)
    said(policy)
    _, other = servers
    other.spoil = lambda path, answer: (503, "overloaded") if path == "chat/completions" else answer
    before = len(requests(other))
    with pytest.raises(PolicyError, match=f"{other.url} gave no answer: HTTP 503: overloaded"):
        said(policy)
    assert len(requests(other)) >= before + 2, "a try and another one"


def test_an_adapter_that_one_server_refuses_is_on_none(config, servers, shared, trained):
    one, other = servers
    other.spoil = lambda path, answer: (400, {"error": "LoRA is not enabled"}) if path == "load_lora_adapter" else answer
    with pytest.raises(PolicyError, match=f"{other.url} gave no answer: HTTP 400: .*LoRA is not enabled.*--enable-lora"):
        load_policy(config, trained)
    assert set(one.served) == {BASE}
    assert not list(shared.iterdir())


def test_a_server_that_restarted_is_handed_the_adapter_again_and_the_other_is_not(config, servers, trained, caplog):
    policy = load_policy(config, trained)
    before = said(policy, greedy=True)
    one, other = servers
    other.served = {BASE: other.served[BASE]}
    assert said(policy, greedy=True) == before
    assert f"{other.url} has lost the adapter" in caplog.text
    assert [[name for name, _ in server.asked].count("load_lora_adapter") for server in servers] == [1, 2]
    assert len(one.served) == len(other.served) == 2


def test_adapters_of_killed_processes_are_unloaded_from_all(config, servers, shared, trained):
    left = shared / "vision-zero-0123456789ab"
    shutil.copytree(trained, left)
    for server in servers:
        server._load_lora_adapter({"lora_name": left.name, "lora_path": str(left)})
    said(load_policy(config, None))
    assert [set(server.served) for server in servers] == [{BASE}] * 2
    assert not list(shared.iterdir())


def test_a_server_that_computes_otherwise_is_named(config, servers):
    def other_scores(path, answer):
        for choice in answer[1]["choices"] if path == "chat/completions" else []:
            for token in choice["logprobs"]["content"]:
                token["logprob"] -= 0.01
        return answer

    servers[1].spoil = other_scores
    with pytest.raises(PolicyError, match=rf"{servers[1].url} scores replies .* differ by 0\.01 on average"):
        said(load_policy(config, None))


def test_the_shortest_context_counts(config, servers):
    servers[1].context = 20
    assert contact(config.server) == 20
    with pytest.raises(PolicyError, match="more than the server's context of 20"):
        said(load_policy(config, None))


def test_a_server_that_does_not_sleep_is_named(served, servers, monkeypatch):
    servers[0].sleeps_when_told = servers[1].sleeps_when_told = True
    control = type(servers[1])._control
    monkeypatch.setattr(
        type(servers[1]),
        "_control",
        lambda self, *asked: (200, {"is_sleeping": False}) if self is servers[1] else control(self, *asked),
    )
    with pytest.raises(PolicyError, match=f"{servers[1].url} was told to sleep and is awake"):
        let_sleep(served.model_copy(update={"sleeps": True}))
    assert servers[0].is_asleep


def test_a_server_is_named_once():
    with pytest.raises(ValidationError, match=r"http://one/v1 is named twice: url and replicas must be different servers"):
        VllmConfig(url="http://one/v1", replicas=("http://two/v1", "http://one/v1/"), model="a", adapters="b")
