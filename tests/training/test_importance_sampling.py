"""The update corrects for a server that samples with slightly other probabilities than the trained model has, by TRL's rules."""

import math
from dataclasses import replace
from statistics import fmean

import pytest
from pydantic import ValidationError

from tests.policy.vllm_server import BASE, vllm_server
from tests.training.jobs import adapter, run_stage, start, tiny_job, votes_from_any_reply
from vision_zero.config.endpoint import ImportanceSamplingConfig, VllmConfig
from vision_zero.config.policy import SamplingConfig
from vision_zero.errors import PolicyError, TrainingError
from vision_zero.game.interface import Reply
from vision_zero.training.grpo_arguments import sampling_correction
from vision_zero.training.progress import SAMPLING
from vision_zero.training.updates import UpdateTrainer, sampling_log_probs

pytestmark = pytest.mark.slow

MIN, MEAN, MAX, GAP, LARGEST_GAP, LIMITED = SAMPLING
FACTOR = 1.5
"""How much likelier each token is to the trainer than to a server whose log-probs are off."""


@pytest.fixture
def server(tiny_base):
    with vllm_server(tiny_base) as standing:
        yield standing


@pytest.fixture
def make_job(server, tiny_base, tmp_path, monkeypatch):
    """A job of one iteration whose replies the server samples."""
    votes_from_any_reply(monkeypatch)
    shared = tmp_path / "shared"
    shared.mkdir()

    def make(stage, correction=None, sampling=(1.0, None), **learning):
        job = tiny_job(tiny_base, tmp_path, start(stage), iterations=1, **learning)
        served = VllmConfig(url=server.url, model=BASE, adapters=str(shared), tries=1, importance_sampling=correction)
        if server.spoil:  # which also the base's replies are
            served = served.model_copy(update={"largest_difference": 1.0})
        temperature, of_votes = sampling
        drawing = SamplingConfig(max_clue_tokens=6, max_vote_tokens=6, temperature=temperature, vote_temperature=of_votes)
        return replace(job, policy=job.policy.model_copy(update={"server": served, "sampling": drawing}))

    return make


def trained(job):
    """The policy after the job, and the metrics of its iteration."""
    result = run_stage(job)
    return adapter(result.policy), result.state.history[-1].metrics


@pytest.fixture
def replies(monkeypatch):
    """Tokens of each reply that is trained."""
    found = []
    batch = UpdateTrainer.batch

    def noted(self, turns, *args):
        found.extend(reply.tokens for _, reply in turns)
        return batch(self, turns, *args)

    monkeypatch.setattr(UpdateTrainer, "batch", noted)
    return found


@pytest.mark.parametrize("stage", ["clue", "decision"])
@pytest.mark.parametrize("sampling", [(1.0, None), (0.7, 1.4)])
def test_a_server_that_computes_the_same_has_ratios_of_one(stage, sampling, make_job, server):
    server.slip = 0.0
    _, metrics = trained(make_job(stage, ImportanceSamplingConfig(), sampling))
    assert metrics[MIN] == pytest.approx(1.0, abs=1e-3)
    assert metrics[MEAN] == pytest.approx(1.0, abs=1e-3)
    assert metrics[MAX] == pytest.approx(1.0, abs=1e-3)
    assert metrics[LARGEST_GAP] < 1e-4
    assert metrics[LIMITED] == 0.0


def test_image_tokens_which_are_never_sampled_count_in_the_ratio(make_job, replies):
    """In training they have a share of the probability: with random weights a hundredth, with trained ones nothing."""
    _, metrics = trained(make_job("clue", ImportanceSamplingConfig()))
    lost = 1 - math.exp(-metrics[GAP])
    assert 0.005 < lost < 0.02
    assert metrics[MEAN] == pytest.approx(fmean((1 - lost) ** len(reply) for reply in replies), rel=1e-2)


@pytest.mark.parametrize("stage", ["clue", "decision"])
@pytest.mark.parametrize(("clip_max", "ratio", "limited"), [(1.2, 1.2, 1.0), (2.0, FACTOR, 0.0)])
def test_a_tokens_gradient_is_multiplied_by_its_ratio_up_to_the_bound(stage, clip_max, ratio, limited, make_job, server):
    server.slip = -math.log(FACTOR)
    _, plain = trained(make_job(stage, None, kl=0.0))
    _, metrics = trained(make_job(stage, ImportanceSamplingConfig(mode="token_truncate", clip_max=clip_max), kl=0.0))
    assert plain["grad_norm"] > 0
    assert metrics["grad_norm"] == pytest.approx(ratio * plain["grad_norm"], rel=1e-3)
    assert [metrics[name] for name in (MIN, MEAN, MAX)] == pytest.approx([ratio] * 3, rel=1e-4)
    assert [metrics[name] for name in (GAP, LARGEST_GAP)] == pytest.approx([math.log(FACTOR)] * 2, abs=1e-4)
    assert metrics[LIMITED] == limited
    assert not set(SAMPLING) & set(plain)


def is_odd(tokens):
    return sum(tokens) % 2 == 1


def unlikelier_if_odd(path, answer):
    """As of a server that computes some replies otherwise."""
    status, body = answer
    for choice in body["choices"] if path == "chat/completions" else []:
        for token in choice["logprobs"]["content"]:
            token["logprob"] -= is_odd(choice["token_ids"]) * math.log(FACTOR)
    return status, body


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_replies_whose_ratio_is_beyond_the_bound_are_left_out_and_counted(stage, make_job, server, replies):
    server.slip, server.spoil = 0.0, unlikelier_if_odd
    _, metrics = trained(make_job(stage, ImportanceSamplingConfig(mode="sequence_mask", clip_max=FACTOR**5)))
    ratios = [0.0 if is_odd(reply) else 1.0 for reply in replies]
    assert {len(reply) for reply in replies} == {6}
    assert 0 < ratios.count(0.0) < len(ratios)
    assert metrics[LIMITED] == pytest.approx(ratios.count(0.0) / len(ratios))
    assert metrics[MEAN] == pytest.approx(fmean(ratios), rel=1e-3)
    assert metrics[MAX] == pytest.approx(max(ratios), rel=1e-3)


def test_with_every_ratio_beyond_the_bound_only_the_kl_is_trained(make_job, server):
    server.slip = -math.log(FACTOR)
    _, metrics = trained(make_job("clue", ImportanceSamplingConfig(mode="token_mask", clip_max=1.2), kl=0.0))
    assert (metrics[MAX], metrics[LIMITED], metrics["grad_norm"]) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("sampling", [(0.7, None), (1.0, 0.7)])
def test_raw_log_probs_are_refused_where_they_are_not_those_of_sampling(sampling, make_job, server):
    server.log_probs_mode = "raw_logprobs"
    with pytest.raises(
        PolicyError, match=r"start it with --logprobs-mode processed_logprobs, or set policy\.server\.imp"
    ) as said:
        run_stage(make_job("clue", ImportanceSamplingConfig(), sampling))
    assert "\n" not in str(said.value)
    assert not [body for name, body in server.asked if body.get("model") not in (None, BASE)], "no game was played"


@pytest.mark.parametrize(
    ("correction", "sampling"), [(None, (0.7, None)), (ImportanceSamplingConfig(), (1.0, None))], ids=["no correction", "at 1"]
)
def test_raw_log_probs_are_as_good_at_temperature_one_or_without_correction(correction, sampling, make_job, server):
    server.log_probs_mode = "raw_logprobs"
    server.slip = 0.0
    _, metrics = trained(make_job("clue", correction, sampling))
    assert metrics.get(MAX, 1.0) == pytest.approx(1.0, abs=1e-3)


def test_replies_of_this_process_are_trained_without_ratios(tiny_base, tmp_path, monkeypatch):
    votes_from_any_reply(monkeypatch)
    handed = []
    made = UpdateTrainer.made_batch

    def noted(self, *args):
        batch = made(self, *args)
        handed.append((self.use_vllm, args[-1], set(batch)))
        return batch

    monkeypatch.setattr(UpdateTrainer, "made_batch", noted)
    _, metrics = trained(tiny_job(tiny_base, tmp_path, start("clue"), iterations=1))
    [(is_corrected, log_probs, entries)] = handed
    assert (is_corrected, log_probs) == (False, None)
    assert not entries & {"importance_sampling_ratio", "sampling_per_token_logps", "old_per_token_logps"}
    assert not set(SAMPLING) & set(metrics)


def test_replies_without_log_probs_are_refused():
    with pytest.raises(TrainingError, match=r"without the log-probs .* or set policy\.server\.importance_sampling null"):
        sampling_log_probs([Reply("a", (1, 2), False, (-1.0, -2.0)), Reply("b", (1, 2))])


def test_the_defaults_are_trls(make_job):
    from trl import GRPOConfig

    told = sampling_correction(make_job("clue", ImportanceSamplingConfig()).policy)
    assert told == {name: GRPOConfig.__dataclass_fields__[name].default for name in told}
    assert len(told) == 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "token_truncate", "clip_max": None}, "token_truncate truncates to a bound: set clip_max or clip_min"),
        ({"clip_max": 1.0, "clip_min": 1.0}, "clip_min is 1, and must be less than clip_max, 1"),
    ],
)
def test_bounds_that_limit_nothing_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        ImportanceSamplingConfig(**settings)


def test_all_processes_have_their_part_in_the_ratios(make_job, server):
    server.slip = 0.0
    _, metrics = trained(make_job("clue", ImportanceSamplingConfig(), num_processes=2))
    assert [metrics[name] for name in (MIN, MEAN, MAX)] == pytest.approx([1.0] * 3, abs=1e-3)
    assert metrics[LIMITED] == 0.0
