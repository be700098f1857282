"""All weights on vLLM servers: they replace the base there, play what is trained, and no reply of other weights is kept."""

import gc
from dataclasses import replace

import pytest
import torch

from tests.make import scene_pairs, write_tiny_adapter
from tests.policy.vllm_server import BASE, RESETS, WEIGHTS, vllm_server
from tests.training.jobs import ITERATIONS, run_stage, start, tiny_job, votes_from_any_reply
from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import AdapterConfig, PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_base, load_beside, load_opponent, load_policy
from vision_zero.policy.vllm import VllmModel, contact
from vision_zero.policy.vllm_handed import HandedWeights
from vision_zero.randomness import Seed
from vision_zero.training.progress import RATIO

pytestmark = pytest.mark.slow

CHATS = [user_message(f"Who is the spy? {number}", pair.original) for number, pair in enumerate(scene_pairs(3))]
RELOAD, NAMED = "/collective_rpc", "/update_weight_version"


@pytest.fixture
def server(tiny_base):
    with vllm_server(tiny_base) as standing:
        standing.takes_weights = True
        yield standing


@pytest.fixture
def served(server, shared):
    return VllmConfig(url=server.url, model=BASE, adapters=str(shared), tries=2, first_wait=0.0, timeout=20.0)


@pytest.fixture
def config(served, tiny_base):
    return PolicyConfig(base=str(tiny_base), server=served, adapter=None)


@pytest.fixture(scope="module")
def trained(tiny_base, tmp_path_factory):
    """A folder with all weights, of which those of the language model are not the base's."""
    return weights_of(tiny_base, tmp_path_factory.mktemp("weights"), 1)


def weights_of(base, folder, seed):
    torch.manual_seed(seed)
    model, _ = load_base(PolicyConfig(base=str(base)))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "visual" not in name:
                weights.add_(0.05 * torch.randn_like(weights))
    model.save_pretrained(folder)
    return folder


def said(policy, **how):
    return [completion.tokens for completion in replace(policy, **how).complete(CHATS, 8, Seed(1))]


def asked(server, path):
    return [body for name, body in server.asked if name == path]


def here(config):
    return config.model_copy(update={"server": None})


def test_greedy_replies_are_those_of_the_weights_and_the_base_plays_here(config, server, trained):
    ours, theirs = load_policy(here(config), trained), load_policy(config, trained)
    assert said(theirs, greedy=True) == said(ours, greedy=True)
    before = len(asked(server, "chat/completions"))
    assert said(theirs, greedy=True, as_base=True) == said(ours, greedy=True, as_base=True) != said(ours, greedy=True)
    begun, options = ["x \\boxed{"] * 3, [["1}", "2}", "3}"]] * 3
    assert theirs.likeliest(CHATS, begun, options) == ours.likeliest(CHATS, begun, options)
    assert len(asked(server, "chat/completions")) == before + 3, "the forced choices of the trained weights alone"


def test_the_untrained_base_replaces_what_an_earlier_run_has_left(config, server, trained):
    load_policy(config, trained)
    assert said(load_policy(config, None), greedy=True) == said(load_policy(here(config), None), greedy=True)
    assert len(asked(server, RELOAD)) == 2


@pytest.mark.parametrize("stage", ["clue", "decision"])
@pytest.mark.parametrize("train_on", ["language", "both"])
def test_each_iteration_plays_with_what_the_last_one_learned(
    stage, train_on, served, server, shared, tiny_base, tmp_path, monkeypatch
):
    votes_from_any_reply(monkeypatch)
    load, sets = HandedWeights.load, []
    monkeypatch.setattr(HandedWeights, "load", lambda self: sets.append(len(list(shared.glob("*/")))) or load(self))
    job = tiny_job(tiny_base, tmp_path, start(stage))
    settings = {"server": served, "adapter": None, "train_on": train_on}
    result = run_stage(replace(job, policy=job.policy.model_copy(update=settings)))
    assert result.state.iteration == ITERATIONS
    reloads = [place for place, (name, _) in enumerate(server.asked) if name == RELOAD]
    assert sets == [1] * ITERATIONS, "the last iteration's were removed before"
    assert len(reloads) == ITERATIONS
    for begin, end in zip(reloads, [*reloads[1:], len(server.asked)], strict=True):
        assert "chat/completions" in [name for name, _ in server.asked[begin:end]]
    ratios = [record.metrics[f"{RATIO}/{of}"] for record in result.state.history for of in ("min", "max")]
    assert ratios == pytest.approx([1.0] * len(ratios), abs=0.3), "equal but for the share of image tokens"
    gc.collect()
    assert not list(shared.iterdir())


@pytest.mark.cli
@pytest.mark.usefixtures("preloaded_python")
@pytest.mark.parametrize("sharded", [False, True])
def test_one_of_several_processes_hands_the_weights_over_for_all(sharded, served, server, shared, tiny_base, tmp_path):
    job = tiny_job(tiny_base, tmp_path, start("clue"), iterations=2, games=4, num_processes=2, sharded=sharded)
    result = run_stage(replace(job, policy=job.policy.model_copy(update={"server": served, "adapter": None})))
    assert result.state.iteration == 2
    reloaded = [place for place, (name, _) in enumerate(server.asked) if name == RELOAD]
    assert len(reloaded) == 2
    assert len({game.game_id for game in result.transcripts}) == 8
    ratios = [record.metrics[f"{RATIO}/mean"] for record in result.state.history]
    assert ratios == pytest.approx([1.0] * 2, abs=0.3), "both play with what was handed over"
    assert not list(shared.iterdir())


def test_the_new_weights_have_their_name_once_caches_of_the_old_ones_are_reset(config, server, trained):
    version = load_policy(config, trained).served.version
    names = [path for path, _ in server.asked if path in WEIGHTS]
    assert names == ["/weight_info", NAMED, RELOAD, *RESETS, "/weight_info", NAMED]
    assert [body["new_version"] for body in asked(server, NAMED)] == [f"{version}-loading", version]


def test_replies_of_a_server_that_restarted_are_not_used(config, server, trained):
    policy = load_policy(config, trained)
    said(policy)
    server.restart()
    with pytest.raises(PolicyError, match=r"has lost the weights vision-zero-\w+, as after a restart: run again"):
        said(policy)
    assert said(load_policy(config, trained), greedy=True) == said(load_policy(here(config), trained), greedy=True)


@pytest.mark.parametrize("fails", [False, True])
def test_nor_are_those_of_one_that_restarts_in_the_middle(config, server, trained, fails):
    policy = load_policy(config, trained)
    said(policy)
    replies = []

    def restarts(path, answer):
        if path != "chat/completions":
            return answer
        replies.append(answer)
        if len(replies) == 1:
            server.restart()
        return (400, {"error": "busy"}) if fails and len(replies) == 3 else answer

    server.spoil = restarts
    with pytest.raises(PolicyError, match=r"HTTP 400: .*busy" if fails else "as after a restart"):
        said(policy)
    assert len(replies) == 3
    server.spoil = None
    with pytest.raises(PolicyError, match="as after a restart"):
        said(policy)


@pytest.mark.parametrize("moment", [RELOAD, *RESETS])
def test_a_server_that_restarts_while_it_loads_does_not_get_the_name(config, server, trained, moment):
    def restarts(path, answer):
        if path == moment:
            server.restart()
        return answer

    server.spoil = restarts
    with pytest.raises(PolicyError, match="has lost the weights"):
        load_policy(config, trained)
    assert server.version == "default"


@pytest.mark.parametrize("moment", [RELOAD, RESETS[0]])
def test_weights_that_were_replaced_in_part_are_not_taken_for_those_of_the_start(config, server, trained, shared, moment):
    server.spoil = lambda path, answer: (500, "no") if path == moment else answer
    words = "does it see .*Restart it: some weights may be replaced" if moment == RELOAD else "HTTP 500: no"
    with pytest.raises(PolicyError, match=words):
        load_policy(config, trained)
    assert server.version.endswith("-loading")
    assert not list(shared.iterdir())
    server.spoil = None
    with pytest.raises(PolicyError, match=r"does not hold the weights that it was started with, .*: restart it"):
        said(load_policy(config.model_copy(update={"adapter": AdapterConfig()}), None))


def test_other_processes_sample_with_what_one_has_handed_over(served, server, tiny_base, trained):
    policy = load_policy(PolicyConfig(base=str(tiny_base)), trained)
    own = VllmModel.all_weights(served, policy.model)
    other = VllmModel(served, HandedWeights.of_another_process(served, own.version))
    policy = replace(policy, served=other, greedy=True)
    assert said(policy) == said(policy, served=None)


def test_a_second_run_at_the_server_is_refused_while_the_first_samples(config, server, trained, shared):
    first = load_policy(config, trained)
    before = said(first, greedy=True)
    with pytest.raises(PolicyError, match=r"holds the weights vision-zero-\w+, which another policy samples with: give each run"):
        load_policy(config, None)
    assert said(first, greedy=True) == before
    assert {path.stem for path in shared.iterdir()} == {first.served.version}
    server.version = "vision-zero-of-another"
    with pytest.raises(PolicyError, match=r"was handed the weights vision-zero-of-another instead of .*: give each run its own"):
        said(first)


def test_an_adapters_run_notices_that_its_server_was_handed_all_weights(config, served, server, trained, tiny_base, tmp_path):
    adapted = config.model_copy(update={"adapter": AdapterConfig()})
    policy = load_policy(adapted, write_tiny_adapter(tiny_base, tmp_path / "adapter"))
    said(policy)
    load_policy(config, trained)
    with pytest.raises(PolicyError, match=r"does not hold the weights that it was started with, .*: restart it"):
        said(policy)


@pytest.mark.parametrize("of_all", [True, False])
def test_a_server_that_does_not_answer_once_has_lost_nothing(config, server, trained, of_all):
    policy = load_policy(
        config if of_all else config.model_copy(update={"adapter": AdapterConfig()}), trained if of_all else None
    )
    before, busy = said(policy, greedy=True), []
    server.spoil = lambda path, answer: (
        (503, "busy") if path == "/weight_info" and not (busy and busy[-1]) and not busy.append(True) else answer
    )
    assert said(policy, greedy=True) == before
    assert busy == [True]
    server.spoil = lambda path, answer: (503, "busy") if path == "/weight_info" else answer
    with pytest.raises(PolicyError, match="HTTP 503: busy"):
        said(policy)


def test_a_server_on_the_same_gpu_sleeps_while_all_weights_are_trained(served, server, tiny_base, tmp_path, monkeypatch):
    votes_from_any_reply(monkeypatch)
    server.sleeps_when_told = True
    job = tiny_job(tiny_base, tmp_path, start("decision"), iterations=2)
    sleeping = served.model_copy(update={"sleeps": True})
    run_stage(replace(job, policy=job.policy.model_copy(update={"server": sleeping, "adapter": None})))
    assert server.is_asleep
    assert len(asked(server, "/sleep?level=1")) == len(asked(server, RELOAD)) == 2


def test_all_servers_are_handed_the_weights(served, server, tiny_base, trained):
    with vllm_server(tiny_base) as second:
        second.takes_weights = True
        both = served.model_copy(update={"replicas": (second.url,)})
        config = PolicyConfig(base=str(tiny_base), server=both, adapter=None)
        policy = load_policy(config, trained)
        assert said(policy, greedy=True) == said(load_policy(here(config), trained), greedy=True)
        assert server.version == second.version == policy.served.version
        second.restart()
        with pytest.raises(PolicyError, match=f"{second.url} has lost the weights"):
            said(policy)


def test_weights_that_the_server_has_not_taken_over_are_noticed(config, server, trained):
    server.base_stays = True
    with pytest.raises(PolicyError, match=r"log-probs differ by .* on average, and 0\.0001 is allowed"):
        said(load_policy(config, trained))


def test_an_opponent_with_all_weights_plays_here(config, server, trained, tiny_base, tmp_path):
    other = weights_of(tiny_base, tmp_path / "other", 2)
    first, rival = load_beside(config, trained, other)
    opponents = [rival, load_opponent(config, other), load_opponent(config, write_tiny_adapter(tiny_base, tmp_path / "adapter"))]
    for opponent in opponents:
        assert opponent.served is None
        assert said(opponent, greedy=True) != said(first, greedy=True)
    with pytest.raises(PolicyError, match="merged with its base: load it apart"):
        replace(first, as_base=True)
    del first
    first, base = load_beside(config, trained, None)
    assert said(first, greedy=True) != said(base, greedy=True)
    assert len(asked(server, RELOAD)) == 2


def test_a_server_without_the_interface_is_one_line_and_nothing_is_left(config, server, trained, shared):
    server.takes_weights = False
    with pytest.raises(PolicyError, match=r"does not name its weights: all weights need vLLM 0\.32 or newer") as raised:
        load_policy(config, trained)
    assert "\n" not in str(raised.value)
    gc.collect()
    assert not list(shared.iterdir())


def test_a_cache_that_is_in_use_is_not_taken_for_reset(config, server, trained):
    server.spoil = lambda path, answer: (200, {"success": False}) if path == RESETS[0] else answer
    with pytest.raises(PolicyError, match="not done: "):
        load_policy(config, trained)


def test_a_disk_that_is_full_is_one_line_and_nothing_is_left(served, shared, trained):
    class Model:
        def save_pretrained(self, folder):
            (folder / "half").write_bytes(b"")
            raise OSError(28, "No space left on device")

    contact(served)
    with pytest.raises(PolicyError, match=r"policy\.server\.adapters cannot take the weights of a policy: .*No space left"):
        VllmModel.all_weights(served, Model())
    assert not list(shared.iterdir())
