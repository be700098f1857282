"""Machines that share a folder train as one does with as many processes: here each is a launcher of its own on this one."""

from dataclasses import replace
from functools import partial
from threading import Thread

import pytest
import torch
from pydantic import ValidationError

from tests.loopback import free_port
from tests.make import files_below
from tests.training.jobs import adapter, optimizer, run_clue_stage, run_decision_stage, start, tiny_job
from tests.training.rehearsed import rehearse
from vision_zero.config.learning import LearningConfig, MachinesConfig
from vision_zero.errors import TrainingError
from vision_zero.training import launcher
from vision_zero.training.launcher import serve_node

pytestmark = [pytest.mark.cli, pytest.mark.usefixtures("preloaded_python")]


@pytest.fixture
def make_job(tiny_base, tmp_path):
    return partial(tiny_job, tiny_base, tmp_path, games=4, num_processes=2)


@pytest.fixture
def shared(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def on_machines(job, shared):
    machines = MachinesConfig(endpoint=f"127.0.0.1:{free_port()}", folder=str(shared))
    return replace(job, learning=job.learning.model_copy(update={"machines": machines}))


def with_another_node(run, job, shared):
    """The result of the stage, and how many jobs failed on node 1."""
    failed = []
    other = Thread(target=lambda: failed.append(serve_node(shared, 1, jobs=1)))
    other.start()
    try:
        return run(on_machines(job, shared)), failed
    finally:
        other.join(timeout=300)


@pytest.mark.parametrize("run", [run_clue_stage, run_decision_stage], ids=["clue", "decision"])
def test_two_machines_train_as_two_processes_of_one_do_and_go_on_from_there(run, make_job, shared, monkeypatch):
    rehearse(monkeypatch.setattr)
    monkeypatch.setattr(launcher, "WORKER", "tests.training.rehearsed")
    stage = "clue" if run is run_clue_stage else "decision"
    expected = run(make_job(start(stage), iterations=2))
    first, failed = with_another_node(run, make_job(start(stage), iterations=1), shared)
    assert failed == [0]
    assert files_below(shared) == []
    found, _ = with_another_node(run, make_job(first.state, first.policy, iterations=1), shared)
    assert (*first.transcripts, *found.transcripts) == expected.transcripts
    same(expected, found)


def same(expected, found):
    """The same metrics of both iterations and, bit by bit, weights and moments."""
    for read in (adapter, optimizer):
        one, other = read(expected.policy), read(found.policy)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert max(tensor.abs().max() for name, tensor in adapter(found.policy).items() if "lora_B" in name) > 1e-3
    for record, other in zip(expected.state.history, found.state.history, strict=True):
        kept = [{name: value for name, value in each.metrics.items() if "seconds" not in name} for each in (record, other)]
        assert kept[0] == kept[1]


def test_a_process_that_fails_on_another_machine_ends_the_stage(make_job, shared, monkeypatch):
    monkeypatch.setenv("FAILING", "raise")
    monkeypatch.setattr(launcher, "WORKER", "tests.training.failing")
    job = make_job(start("clue"))
    with pytest.raises(
        TrainingError, match=r"training in 2 processes failed, .*: rank 1: RuntimeError: the second process has had"
    ):
        with_another_node(run_clue_stage, job, shared)
    assert files_below(shared) == files_below(job.folder) == []


def test_a_folder_that_is_not_there_is_one_line(make_job, shared):
    with pytest.raises(TrainingError, match=r"nowhere: learning\.machines\.folder must be one that all machines share"):
        run_clue_stage(on_machines(make_job(start("clue")), shared / "nowhere"))
    with pytest.raises(TrainingError, match=r"nowhere: it must be learning\.machines\.folder"):
        serve_node(shared / "nowhere", 1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_processes": 3, "games_per_iteration": 3}, "num_processes 3 cannot be shared equally by 2 machines"),
        ({"num_processes": 2, "machines": {"endpoint": "node-0", "folder": "f"}}, "'node-0' is not host:port"),
    ],
)
def test_machines_have_equal_shares_and_an_endpoint(settings, words):
    with pytest.raises(ValidationError, match=words):
        LearningConfig.model_validate({"machines": {"endpoint": "node-0:29500", "folder": "f"}, **settings})
