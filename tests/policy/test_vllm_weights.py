"""All weights on vLLM servers: they replace the base there, play what is trained, and no reply of other weights is kept."""

import gc
from dataclasses import replace

import pytest
import torch

from tests.make import scene_pairs
from tests.policy.vllm_server import BASE, vllm_server
from tests.training.jobs import ITERATIONS, run_stage, start, tiny_job, votes_from_any_reply
from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_base, load_beside, load_opponent, load_policy
from vision_zero.policy.vllm import VllmModel, contact
from vision_zero.policy.vllm_handed import HandedWeights, check_as_started
from vision_zero.randomness import Seed
from vision_zero.training.progress import RATIO

pytestmark = pytest.mark.slow

CHATS = [user_message(f"Who is the spy? {number}", pair.original) for number, pair in enumerate(scene_pairs(3))]
RELOAD = "/collective_rpc"


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
    load_on, sets = HandedWeights.load_on, []
    monkeypatch.setattr(
        HandedWeights, "load_on", lambda self, one: sets.append(len(list(shared.glob("*/")))) or load_on(self, one)
    )
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


def test_caches_of_the_old_weights_are_reset_before_the_new_ones_have_their_name(config, server, trained):
    load_policy(config, trained)
    names = [name for name, _ in server.asked]
    after = names[names.index(RELOAD) + 1 :]
    assert after == ["/reset_prefix_cache", "/reset_encoder_cache", "/reset_mm_cache", "/update_weight_version"]


def test_a_server_that_restarted_is_handed_the_weights_again(config, server, trained, caplog):
    policy = load_policy(config, trained)
    before = said(policy, greedy=True)
    server.restart()
    assert said(policy, greedy=True) == before
    assert "has lost the weights vision-zero-" in caplog.text


def test_replies_of_a_server_that_restarts_in_the_middle_are_asked_for_again(config, server, trained, caplog):
    policy = load_policy(config, trained)
    before = said(policy, greedy=True)
    replies = []

    def restarts(path, answer):
        if path == "chat/completions":
            replies.append(answer)
            if len(replies) == 1:
                server.restart()
        return answer

    server.spoil = restarts
    assert said(policy, greedy=True) == before
    assert len(replies) == 6, "three with the base's weights, and three again"
    assert "handed over again" in caplog.text


def test_beside_other_processes_a_restart_ends_the_run(served, server, tiny_base, trained):
    policy = load_policy(PolicyConfig(base=str(tiny_base)), trained)
    own = VllmModel.all_weights(served, policy.model, restores=False)
    other = VllmModel(served, HandedWeights.of_another_process(served, own.version), restores=False)
    policy = replace(policy, served=other, greedy=True)
    assert said(policy) == said(policy, served=None)
    server.restart()
    with pytest.raises(PolicyError, match=r"has lost the weights vision-zero-\w+, as after a restart: run again"):
        said(policy)


def test_two_runs_at_one_server_are_noticed(config, server, trained):
    policy = load_policy(config, trained)
    server.version = "vision-zero-of-another"
    with pytest.raises(PolicyError, match=r"was handed the weights vision-zero-of-another by another run"):
        said(policy)


def test_adapters_are_not_put_on_the_weights_of_another_policy(config, server, trained):
    left = load_policy(config, trained)
    check_as_started.cache_clear()
    with pytest.raises(PolicyError, match=r"does not hold the weights that it was started with, .*: restart it"):
        said(replace(left, served=VllmModel(config.server)))
    check_as_started.cache_clear()


def test_weights_that_the_server_has_not_taken_over_are_noticed(config, server, trained, monkeypatch):
    monkeypatch.setattr(type(server), "_weights", lambda self, path, body: (200, {"weight_version": "default", "success": True}))
    monkeypatch.setattr(HandedWeights, "is_on", lambda self, server: True)
    with pytest.raises(PolicyError, match=r"log-probs differ by .* on average, and 0\.0001 is allowed"):
        said(load_policy(config, trained))


def test_an_opponent_with_all_weights_plays_here(config, server, trained, tiny_base, tmp_path):
    other = weights_of(tiny_base, tmp_path / "other", 2)
    for opponent in (load_beside(config, trained, other)[1], load_opponent(config, other)):
        assert opponent.served is None
    first, base = load_beside(config, trained, None)
    assert said(first, greedy=True) != said(base, greedy=True)
    assert len(asked(server, RELOAD)) == 2


def test_a_server_without_the_interface_is_one_line_and_nothing_is_left(config, server, trained, shared):
    server.takes_weights = False
    with pytest.raises(PolicyError, match=r"HTTP 404: .*all weights need vLLM 0\.32 or newer.*VLLM_SERVER_DEV_MODE=1") as raised:
        load_policy(config, trained)
    assert "\n" not in str(raised.value)
    gc.collect()
    assert not list(shared.iterdir())


def test_a_cache_that_is_in_use_is_not_taken_for_reset(config, server, trained, monkeypatch):
    weights = type(server)._weights
    monkeypatch.setattr(
        type(server),
        "_weights",
        lambda self, path, body: (200, {"success": False}) if path == "/reset_prefix_cache" else weights(self, path, body),
    )
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
