"""Trackers follow training: both stages under TRL's names, across stages and runs, and never in its way."""

from dataclasses import replace
from functools import partial

import pytest

from tests.loopback import free_port
from tests.tracking.stores import read
from tests.training.jobs import adapter, run_stage, start, tiny_job, votes_from_any_reply
from vision_zero.config.tracking import TrackedRun
from vision_zero.training.job import StageJob
from vision_zero.training.supervised import run_stage as run_supervised


@pytest.fixture
def make_job(tiny_base, tmp_path, monkeypatch):
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    votes_from_any_reply(monkeypatch)
    return partial(tiny_job, tiny_base, tmp_path)


def tracked(job: StageJob, *trackers: str) -> StageJob:
    return replace(job, tracked=TrackedRun(trackers=trackers, model="my_model", folder=str(job.folder.parent)))


def test_every_iteration_of_both_stages_is_sent_under_trls_names(make_job, tmp_path):
    votes = run_stage(tracked(make_job(start("decision"), iterations=1), "tensorboard"))
    clues = run_stage(
        tracked(make_job(votes.state.model_copy(update={"stage": "clue"}), votes.policy, iterations=2), "tensorboard")
    )
    found = read("tensorboard", tmp_path, "my_model")
    assert found.runs == 1
    # TRL's and transformers' own names …
    for name in ("loss", "grad_norm", "learning_rate", "kl", "entropy", "completions/mean_length", "completions/clipped_ratio"):
        assert [step for step, _ in found.train[name]] == [1, 2, 3], name
    # … rewards where TRL has them, which is not in the clue stage …
    assert [step for step, _ in found.train["reward_std"]] == [1]
    # … and ours.
    history = clues.state.history
    assert found.train["kl"] == [(record.iteration + 1, pytest.approx(record.metrics["kl"])) for record in history]
    assert found.train["accuracy"] == [(record.iteration + 1, pytest.approx(record.accuracy)) for record in history]
    assert found.train["is_clue_stage"] == [(1, 0.0), (2, 1.0), (3, 1.0)]
    assert {"reward/spy", "reward/civilian", "seconds/update"} <= found.train.keys()
    assert all(record.unsent == {} for record in history)


def test_a_tracker_that_fails_changes_nothing_of_training_but_what_the_records_say(make_job, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    alone = run_stage(make_job(start("decision"), iterations=2))
    followed = run_stage(tracked(make_job(start("decision"), iterations=2), "mlflow"))
    assert [set(record.unsent) for record in followed.state.history] == [{"mlflow"}] * 2
    assert "API request to" in followed.state.history[0].unsent["mlflow"]
    weights = adapter(followed.policy)
    assert all(tensor.equal(weights[name]) for name, tensor in adapter(alone.policy).items())
    timed = ("seconds/", "update/")
    for one, other in zip(alone.state.history, followed.state.history, strict=True):
        assert {name: value for name, value in one.metrics.items() if not name.startswith(timed)} == {
            name: value for name, value in other.metrics.items() if not name.startswith(timed)
        }


def test_nothing_is_written_where_no_tracker_is_named(make_job, tmp_path):
    job = make_job(start("decision"), iterations=1)
    run_stage(job)
    assert [path.name for path in tmp_path.iterdir()] == [job.folder.name]


def test_the_control_without_play_is_followed_too(make_job, tmp_path):
    job = tracked(make_job(start("decision"), iterations=2), "tensorboard")
    result = run_supervised("decision", job)
    expected = [(record.iteration + 1, pytest.approx(record.metrics["loss"])) for record in result.state.history]
    assert read("tensorboard", tmp_path, "my_model").train["loss"] == expected
