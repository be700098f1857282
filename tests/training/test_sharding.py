"""Weights, gradients and moments in shares of two processes are those that one process has whole, on disk and afterwards too."""

from dataclasses import replace
from functools import partial

import pytest
from pydantic import ValidationError

from tests.make import files_below
from tests.training.jobs import optimizer, run_clue_stage, run_decision_stage, start, tiny_job
from tests.training.rehearsed import rehearse
from vision_zero.config.learning import LearningConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.policy.folder import is_full
from vision_zero.policy.loading import load_policy
from vision_zero.training import launcher

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("preloaded_python")]

SHARED = {"num_processes": 2, "sharded": True}


@pytest.fixture
def make_job(tiny_base, tmp_path):
    def make(*args, train_on="language", **settings):
        job = tiny_job(tiny_base, tmp_path, *args, **{"games": 4, "learning_rate": 1e-3, **settings})
        return replace(job, policy=job.policy.model_copy(update={"adapter": None, "train_on": train_on}))

    return make


@pytest.fixture
def same_batch(monkeypatch):
    """The same replies here and in the processes that are started here."""
    rehearse(monkeypatch.setattr)
    monkeypatch.setattr(launcher, "WORKER", "tests.training.rehearsed")


def weights(result, job):
    return load_policy(job.policy, result.policy.path).model.state_dict()


def same(one, two, job):
    """The same weights and moments, but for rounding; and something was learned."""
    base = load_policy(job.policy, None).model.state_dict()
    expected, found = weights(one, job), weights(two, job)
    assert expected.keys() == found.keys() == base.keys()
    learned = {name: (tensor - base[name]).abs().max().item() for name, tensor in expected.items()}
    assert max(learned.values()) > 1e-3
    for name, tensor in expected.items():
        assert (tensor - found[name]).abs().max().item() <= 0.02 * max(learned.values()), name
    expected, found = optimizer(one.policy), optimizer(two.policy)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert tensor.shape == found[name].shape
        assert (tensor - found[name]).abs().max().item() <= 1e-3 * tensor.abs().max().item(), name


def test_two_shares_train_on_clues_as_one_whole_does_and_either_goes_on_from_the_other(make_job, same_batch):
    job = partial(make_job, iterations=2)
    one, two = run_clue_stage(job(start("clue"))), run_clue_stage(job(start("clue"), **SHARED))
    assert two.transcripts == one.transcripts
    same(one, two, job(start("clue")))
    assert is_full(two.policy.path)
    assert set(files_below(two.policy.path)) <= set(files_below(one.policy.path))
    assert (two.policy.path / "config.json").read_text() == (one.policy.path / "config.json").read_text()
    unbroken = run_clue_stage(job(start("clue"), iterations=4))
    for settings in (SHARED, {}):
        same(unbroken, run_clue_stage(job(two.state, two.policy, **settings)), job(start("clue")))


def test_two_shares_train_on_votes_as_one_whole_does(make_job, same_batch):
    settings = {"iterations": 1, "skip_equal_groups": True}
    one = run_decision_stage(make_job(start("decision"), **settings))
    two = run_decision_stage(make_job(start("decision"), **settings, **SHARED))
    assert one.state.history[0].metrics["kl"] == pytest.approx(two.state.history[0].metrics["kl"], abs=1e-6)
    same(one, two, make_job(start("decision")))


def test_shares_play_by_themselves(make_job):
    """Each process draws replies of its own lengths with its whole copy: nobody waits for the other's words."""
    result = run_clue_stage(make_job(start("clue"), iterations=2, train_on="both", **SHARED))
    assert len(result.transcripts) == 8
    assert result.state.iteration == 2


def test_shares_need_two_processes_and_all_weights():
    with pytest.raises(ValidationError, match="sharded needs several processes: set num_processes"):
        LearningConfig(sharded=True)
    with pytest.raises(ValidationError, match=r"set policy.adapter null, or leave sharded out"):
        SelfPlayConfig.model_validate({"learning": SHARED})
    assert SelfPlayConfig.model_validate({"learning": SHARED, "policy": {"adapter": None}}).learning.sharded
