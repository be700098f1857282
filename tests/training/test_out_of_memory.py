"""Out of memory is one line that names the setting to turn; what the stage began from is as it was, and training can go on."""

import gc
import signal
import weakref
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from tests.training.jobs import adapter, optimizer, run_clue_stage, run_stage, start
from vision_zero.errors import TrainingError
from vision_zero.policy.policy import Policy
from vision_zero.training import out_of_memory, self_play
from vision_zero.training.out_of_memory import free_memory, out_of_memory_named
from vision_zero.training.trl_adapter import TrlTrainer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("readable_votes")]


def exhausted(*args, **kwargs):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has a total capacity of 79.11 GiB")


def fails(stage, job):
    with pytest.raises(TrainingError, match="out of memory while") as caught:
        stage(job)
    assert "\n" not in str(caught.value)
    assert "what it began from stands" in str(caught.value)
    return str(caught.value)


def test_of_play_and_votes_the_batch_is_named(make_job, monkeypatch):
    monkeypatch.setattr(Policy, "_generate", exhausted)
    for stage in ("clue", "decision"):
        assert "lower policy.sampling.batch_size (now 64)" in fails(run_stage, make_job(start(stage)))


def test_of_the_update_checkpointing_and_then_the_tokens_are_named(make_job, monkeypatch):
    monkeypatch.setattr(TrlTrainer, "training_step", exhausted)
    plain, checkpointed = make_job(start("clue")), make_job(start("clue"), gradient_checkpointing=True)
    lower = "lower learning.tokens_per_step (now 300)"
    assert f"set learning.gradient_checkpointing: true, or {lower}" in fails(run_clue_stage, plain)
    assert f"while training: {lower}" in fails(run_clue_stage, checkpointed)
    smallest = make_job(start("clue"), gradient_checkpointing=True, tokens_per_step=1)
    assert "policy.dtype: bfloat16" in fails(run_clue_stage, smallest)
    whole = replace(smallest, policy=smallest.policy.model_copy(update={"adapter": None}))
    assert "train an adapter" in fails(run_clue_stage, whole)


def test_of_the_reference_the_tokens_are_named(make_job, monkeypatch):
    score = TrlTrainer.row_log_probs

    def scored(self, *args, **kwargs):
        return score(self, *args, **kwargs) if torch.is_grad_enabled() else exhausted()

    monkeypatch.setattr(TrlTrainer, "row_log_probs", scored)
    assert "scoring replies: lower learning.tokens_per_step" in fails(run_clue_stage, make_job(start("clue")))


def test_of_loading_the_precision_is_named(make_job, monkeypatch):
    monkeypatch.setattr(self_play, "load_base", exhausted)
    assert "while loading the policy: set policy.dtype: bfloat16" in fails(run_clue_stage, make_job(start("clue")))


def test_training_goes_on_from_what_the_stage_began_from(make_job, monkeypatch):
    first = run_clue_stage(make_job(start("clue"), iterations=1))
    before = {name: (first.policy.path / name).read_bytes() for name in first.policy.files()}
    state = first.state.model_copy()
    step, done = TrlTrainer.training_step, []

    def second_iteration_fails(self, *args):
        done.append(self.state.global_step)
        return exhausted() if self.state.global_step == 2 else step(self, *args)

    monkeypatch.setattr(TrlTrainer, "training_step", second_iteration_fails)
    fails(run_clue_stage, make_job(first.state, first.policy, iterations=2))
    assert {1, 2} == set(done)
    monkeypatch.setattr(TrlTrainer, "training_step", step)
    assert {name: (first.policy.path / name).read_bytes() for name in first.policy.files()} == before
    assert first.state == state
    resumed = run_clue_stage(make_job(first.state, first.policy, iterations=2))
    unbroken = run_clue_stage(make_job(start("clue"), iterations=3))
    for read in (adapter, optimizer):
        one, two = read(resumed.policy), read(unbroken.policy)
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_cpu_says_it_in_other_words(make_job):
    job = make_job(start("clue"))
    with pytest.raises(TrainingError, match="out of memory while playing"), out_of_memory_named("play", job.policy, job.learning):
        torch.empty(1 << 60, dtype=torch.int8)


def test_other_errors_stay_what_they_are(make_job):
    job = make_job(start("clue"))
    with pytest.raises(RuntimeError, match="shapes"), out_of_memory_named("play", job.policy, job.learning):
        raise RuntimeError("shapes do not match")


@pytest.mark.parametrize("whole", [False, True], ids=["adapter", "whole"])
@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_a_stage_leaves_no_model_behind_that_the_next_one_would_lack_the_room_of(make_job, monkeypatch, stage, whole):
    """Without Python's own search for circles of references, which comes when it comes."""
    job = make_job(start(stage), iterations=1)
    job = replace(job, policy=job.policy.model_copy(update={"adapter": None})) if whole else job
    models, load = [], self_play.load_base

    def loaded(config):
        model, processor = load(config)
        models.append(weakref.ref(model))
        return model, processor

    monkeypatch.setattr(self_play, "load_base", loaded)
    gc.disable()
    try:
        run_stage(job)
    finally:
        gc.enable()
    assert [model() for model in models] == [None]


class Pressing:
    """Ctrl-C is pressed while it is cleared away: in a finalizer, where Python ignores what is raised."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_while_room_is_made_is_not_lost(monkeypatch):
    """When Python looks for garbage is its own affair, and other threads may make it look: here dropping the last reference
    runs the finalizer, in the place and at the moment of the search."""
    # A process that a shell started in the background ignores Ctrl-C until it is told otherwise.
    outside = signal.signal(signal.SIGINT, signal.default_int_handler)
    before, held, cleared = signal.getsignal(signal.SIGINT), [Pressing()], []

    def collect():
        held.clear()
        cleared.append(True)

    monkeypatch.setattr(out_of_memory, "gc", SimpleNamespace(collect=collect))
    try:
        with pytest.raises(KeyboardInterrupt):
            free_memory()
        assert cleared == [True], "the search ended before Ctrl-C was heard"
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGINT, outside)
