"""Two processes train as one does, on the same global batch; one that fails ends the stage; nothing half-written stays.

Sampling may differ between one process and two, since each draws from a seed of its own: here replies depend on what is asked.
Adam forgets the scale of a gradient, so its moments are compared as well: a loss scaled by the number of processes shows there.
"""

import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import islice

import pytest
import torch
from pydantic import ValidationError

from tests.make import files_below
from tests.tracking.stores import read as stored
from tests.training.idle import WAITS
from tests.training.jobs import adapter, optimizer, run_clue_stage, run_decision_stage, start, tiny_job
from tests.training.rehearsed import rehearse
from vision_zero.config.learning import LearningConfig, SwitchConfig
from vision_zero.config.tracking import TrackedRun
from vision_zero.errors import TrainingError
from vision_zero.policy.folder import POLICY_FILES
from vision_zero.training import launcher
from vision_zero.training.job_folder import read_job, write_job
from vision_zero.training.self_play import train_here
from vision_zero.training.state import StageState

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("preloaded_python")]


@pytest.fixture
def make_job(tiny_base, tmp_path):
    return partial(tiny_job, tiny_base, tmp_path, games=4)


@pytest.fixture
def same_batch(monkeypatch):
    """The same replies here and in the processes that are started here."""
    rehearse(monkeypatch.setattr)
    monkeypatch.setattr(launcher, "WORKER", "tests.training.rehearsed")


def test_two_processes_train_on_clues_as_one_does_and_one_goes_on_from_there(make_job, same_batch):
    one = run_clue_stage(make_job(start("clue"), iterations=2))
    two = run_clue_stage(make_job(start("clue"), iterations=2, num_processes=2))
    assert two.transcripts == one.transcripts
    same_course(one, two)
    assert files_below(two.policy.path.parent) == sorted(f"{two.policy.path.name}/{name}" for name in POLICY_FILES)
    resumed = run_clue_stage(make_job(two.state, two.policy, iterations=2))
    unbroken = run_clue_stage(make_job(start("clue"), iterations=4))
    assert unbroken.transcripts == (*two.transcripts, *resumed.transcripts)
    same_course(unbroken, resumed)


def test_two_processes_train_on_votes_as_one_does_and_end_when_the_stage_does(make_job, same_batch):
    state = StageState.at_start(SwitchConfig(rule="fixed", period=2))
    one = run_decision_stage(make_job(state))
    job = make_job(state, num_processes=2)
    followed = TrackedRun(trackers=("tensorboard",), model="my_model", folder=str(job.folder.parent))
    two = run_decision_stage(replace(job, tracked=followed))
    sent = stored("tensorboard", job.folder.parent, "my_model").train["kl"]
    once = [(record.iteration + 1, pytest.approx(record.metrics["kl"])) for record in two.state.history]
    assert sent == once, "by one of the processes"
    assert (two.state.stage, two.state.iteration, len(two.transcripts)) == ("clue", 2, 8)
    assert two.transcripts == one.transcripts
    assert any(record.metrics["zero_variance"] < 1 for record in one.state.history)
    same_course(one, two)


def test_processes_that_skip_equal_groups_skip_as_many(make_job, same_batch):
    settings = {"iterations": 1, "kl": 0.0, "skip_equal_groups": True}
    one = run_decision_stage(make_job(start("decision"), **settings))
    two = run_decision_stage(make_job(start("decision"), num_processes=2, **settings))
    same_weights(one, two)


def same_weights(one, two):
    """The same weights and moments, but for rounding; and something was learned."""
    assert max(tensor.abs().max() for name, tensor in adapter(one.policy).items() if "lora_B" in name) > 1e-3
    for read in (optimizer, adapter):
        expected, found = read(one.policy), read(two.policy)
        assert expected.keys() == found.keys()
        for name, tensor in expected.items():
            scale = tensor.abs().max().item()
            assert torch.allclose(tensor, found[name], rtol=0, atol=1e-3 * scale), name


def same_course(one, two):
    """The same weights, moments and measures, but for rounding."""
    same_weights(one, two)
    assert two.state.model_copy(update={"history": ()}) == one.state.model_copy(update={"history": ()})
    for expected, found in zip(one.state.history, two.state.history, strict=True):
        assert found.model_copy(update={"metrics": {}}) == expected.model_copy(update={"metrics": {}})
        assert found.metrics.keys() == expected.metrics.keys()
        for name, value in expected.metrics.items():
            if not name.startswith("seconds/") and name != "update/padding":
                assert found.metrics[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_a_process_that_fails_ends_the_stage_with_its_traceback(make_job, monkeypatch, capsys):
    monkeypatch.setenv("FAILING", "raise")
    monkeypatch.setattr(launcher, "WORKER", "tests.training.failing")
    job = make_job(start("clue"), num_processes=2)
    with pytest.raises(TrainingError) as caught:
        run_clue_stage(job)
    assert str(caught.value) == (
        "training in 2 processes failed, and their output above says where: "
        "rank 1: RuntimeError: the second process has had enough"
    )
    output = capsys.readouterr().out
    assert "in _play_or_fail" in output and "RuntimeError: the second process" in output
    assert files_below(job.folder) == []


def test_a_process_that_hangs_is_not_waited_for_forever(make_job, monkeypatch):
    monkeypatch.setenv("FAILING", "hang")
    monkeypatch.setenv("PATIENCE", "5")
    monkeypatch.setattr(launcher, "WORKER", "tests.training.failing")
    with pytest.raises(TrainingError, match=r"where: rank 0: .*[Tt]imed out"):
        run_clue_stage(make_job(start("clue"), num_processes=2))


def test_a_process_that_is_killed_ends_the_stage(make_job, monkeypatch, capsys):
    monkeypatch.setenv("FAILING", "kill")
    monkeypatch.setattr(launcher, "WORKER", "tests.training.idle")
    job = make_job(start("clue"), num_processes=2)
    with pytest.raises(TrainingError, match="where: one ended without a word"):
        run_clue_stage(job)
    assert "SIGKILL" in capsys.readouterr().out
    assert files_below(job.folder) == []


def test_processes_end_with_the_one_that_started_them():
    """Not even a process that is killed leaves others behind that train for nobody."""
    script = """
from pathlib import Path
from vision_zero.training import launcher
launcher.WORKER = "tests.training.idle"
launcher.run_workers(Path("nowhere"), ["--standalone", "--nproc-per-node=2"], 2)
"""
    environment = os.environ | {"FAILING": "no"}
    with subprocess.Popen([sys.executable, "-uc", script], env=environment, stdout=subprocess.PIPE, text=True) as starter:
        said = (line for line in starter.stdout if line.startswith(WAITS))
        workers = [int(line.removeprefix(WAITS)) for line in islice(said, 2)]
        assert len(workers) == 2
        assert all(is_there(worker) for worker in workers)
        starter.kill()
    until = time.monotonic() + 600  # a machine that has better to do
    while any(is_there(worker) for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.1)


def is_there(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_games_that_cannot_be_shared_are_refused_before_anything_runs():
    with pytest.raises(ValidationError, match="games_per_iteration 16 cannot be shared equally by num_processes 3: make"):
        LearningConfig(games_per_iteration=16, num_processes=3)


def test_more_processes_than_gpus_are_refused(make_job, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(TrainingError, match=r"learning.num_processes is 2 on each machine, but this one shows 1 GPUs"):
        run_clue_stage(make_job(start("clue"), num_processes=2))


def test_a_batch_of_another_number_of_processes_is_refused(make_job):
    with pytest.raises(TrainingError, match=r"learning.num_processes is 2, but 1 take part"):
        train_here("clue", make_job(start("clue"), num_processes=2))


def test_a_job_is_read_as_it_was_written(make_job, same_batch, tmp_path):
    trained = run_clue_stage(make_job(start("clue"), iterations=1))
    job = make_job(trained.state, trained.policy)
    write_job(tmp_path, "clue", job)
    stage, read = read_job(tmp_path)
    assert stage == "clue"
    for name in ("policy", "game", "rewards", "learning", "state", "parent", "iterations", "run", "seed"):
        assert getattr(read, name) == getattr(job, name), name
    assert read.pairs.table.rows.equals(job.pairs.table.rows)
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(TrainingError, match="holds no Job of this version"):
        read_job(tmp_path)
