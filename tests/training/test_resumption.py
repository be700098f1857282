"""A resumed stage is an unbroken one: weights, optimiser, schedule, pairs and replies go on; what is stored is what that takes.

A random model's votes mean nothing, so here a vote is read out of any reply: its length decides.
"""

from dataclasses import replace
from functools import partial

import pytest
import torch

from tests.make import files_below
from tests.training.jobs import (
    GAMES,
    ITERATIONS,
    adapter,
    optimizer,
    run_clue_stage,
    run_decision_stage,
    run_stage,
    start,
)
from vision_zero.config.learning import SwitchConfig
from vision_zero.config.policy import AdapterConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.folder import PolicyFolder
from vision_zero.training.state import StageState

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("readable_votes")]


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_a_resumed_clue_stage_equals_an_unbroken_one_bit_for_bit(make_job):
    first = run_clue_stage(make_job(start("clue"), iterations=2))
    resumed = run_clue_stage(make_job(first.state, first.policy, iterations=2))
    unbroken = run_clue_stage(make_job(start("clue"), iterations=4))
    assert not same(adapter(first.policy), adapter(resumed.policy))
    same_results(unbroken, resumed)
    assert unbroken.transcripts == (*first.transcripts, *resumed.transcripts)


def test_a_resumed_decision_stage_equals_an_unbroken_one_bit_for_bit(make_job):
    unbroken = run_decision_stage(make_job(start("decision"), iterations=4))
    first = run_decision_stage(make_job(start("decision"), iterations=2))
    resumed = run_decision_stage(make_job(first.state, first.policy, iterations=2))
    assert not same(adapter(first.policy), adapter(resumed.policy))
    same_results(unbroken, resumed)
    assert unbroken.transcripts == (*first.transcripts, *resumed.transcripts)


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_dropout_in_an_iteration_does_not_depend_on_those_before_it(make_job, stage):
    def run(*args, iterations):
        job = make_job(*args, iterations=iterations)
        dropping = AdapterConfig(rank=4, alpha=8, dropout=0.5)
        return run_stage(replace(job, policy=job.policy.model_copy(update={"adapter": dropping})))

    first = run(start(stage), iterations=1)
    resumed = run(first.state, first.policy, iterations=1)
    same_results(run(start(stage), iterations=2), resumed)
    assert not same(adapter(resumed.policy), adapter(run_stage(make_job(start(stage), iterations=2)).policy))


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_each_iteration_plays_its_own_pairs_with_the_policy_that_the_last_one_made(make_job, stage):
    """What is played in an iteration is what a run would play that begins there with that policy."""
    job = make_job(start(stage), iterations=3)
    whole = run_stage(job)
    assert len(whole.transcripts) == 3 * GAMES
    for iteration in range(3):
        own = {game.pair_id for game in whole.transcripts[iteration * GAMES : (iteration + 1) * GAMES]}
        assert own == {pair.pair_id for pair in job.pairs.of_iteration(iteration)}
    before = run_stage(make_job(start(stage), iterations=2))
    third = run_stage(make_job(before.state, before.policy, iterations=1))
    assert third.transcripts == whole.transcripts[2 * GAMES :]
    unchanged = run_stage(make_job(start(stage), iterations=3, learning_rate=1e-30))
    assert unchanged.transcripts[:GAMES] == whole.transcripts[:GAMES]
    assert unchanged.transcripts[2 * GAMES :] != third.transcripts, "the policy as it is, not the one that the round began with"


def test_after_a_switch_in_the_middle_of_a_round_votes_are_trained_on_the_pairs_drawn_for_them(make_job):
    rules = SwitchConfig(rule="fixed", period=2)
    state = StageState.at_start(rules).model_copy(update={"stage": "clue"})
    clue = run_stage(make_job(state))
    votes = run_stage(make_job(clue.state, clue.policy, iterations=ITERATIONS - clue.state.iteration))
    assert [record.stage for record in votes.state.history] == ["clue", "clue", "decision", "decision"]
    pairs = make_job(state).pairs
    played = [game.pair_id for game in (*clue.transcripts, *votes.transcripts)]
    assert played == [pair.pair_id for iteration in range(ITERATIONS) for pair in pairs.of_iteration(iteration)]


def same_results(one, two):
    assert same(adapter(one.policy), adapter(two.policy))
    assert same(optimizer(one.policy), optimizer(two.policy))
    assert strip(one.state) == strip(two.state)


def strip(state):
    """The state without wall-clock measures."""
    history = [
        record.model_copy(
            update={"metrics": {name: value for name, value in record.metrics.items() if not name.startswith("seconds/")}}
        )
        for record in state.history
    ]
    return state.model_copy(update={"history": tuple(history)})


def test_one_optimiser_and_one_schedule_run_through_both_stages(make_job):
    clue = run_stage(make_job(start("clue"), iterations=2))
    state = clue.state.model_copy(update={"stage": "decision"})
    decision = run_stage(make_job(state, clue.policy, iterations=2))
    rates = [record.metrics["learning_rate"] for record in decision.state.history]
    assert [record.iteration for record in decision.state.history] == [0, 1, 2, 3]
    unbroken = run_stage(make_job(start("clue"), iterations=4)).state
    assert rates == [record.metrics["learning_rate"] for record in unbroken.history]
    assert optimizer(decision.policy)["0.step"].item() == 4


def test_an_optimiser_of_its_own_rests_while_the_other_stage_is_trained(make_job):
    own = partial(make_job, optimizer="per_stage")

    def as_stage(result, stage):
        return result.state.model_copy(update={"stage": stage})

    def moments(result, stage):
        tensors = optimizer(result.policy).items()
        return {name: tensor for name, tensor in tensors if name.startswith(f"{stage}.")}

    clue = run_stage(own(start("clue"), iterations=2))
    decision = run_stage(own(as_stage(clue, "decision"), clue.policy, iterations=1))
    assert same(moments(decision, "clue"), moments(clue, "clue"))
    assert decision.state.history[-1].metrics["learning_rate"] != clue.state.history[-1].metrics["learning_rate"]
    again = run_stage(own(as_stage(decision, "clue"), decision.policy, iterations=1))
    assert same(moments(again, "decision"), moments(decision, "decision"))
    steps = {stage: moments(again, stage)[f"{stage}.0.step"].item() for stage in ("clue", "decision")}
    assert steps == {"clue": 3, "decision": 1}


def test_optimisers_of_another_kind_are_refused(make_job):
    one = run_stage(make_job(start("clue"), iterations=1))
    with pytest.raises(PolicyError, match=r"another learning\.optimizer: set it back, or give the model another name"):
        run_stage(make_job(one.state, one.policy, iterations=1, optimizer="per_stage"))


def test_another_learning_rate_counts_from_the_next_run_on(make_job):
    """As the errors advise: the shape of the schedule and Adam's moments go on, at the rate that the recipe names now."""
    first = run_stage(make_job(start("clue"), iterations=2, learning_rate=1e-2))
    unbroken = run_stage(make_job(start("clue"), iterations=4, learning_rate=1e-2))
    resumed = run_stage(make_job(first.state, first.policy, iterations=2, learning_rate=1e-3))
    expected = [record.metrics["learning_rate"] for record in unbroken.state.history]
    rates = [record.metrics["learning_rate"] for record in resumed.state.history]
    assert rates == pytest.approx([*expected[:2], *(rate / 10 for rate in expected[2:])])
    still = run_stage(make_job(first.state, first.policy, iterations=1, learning_rate=1e-30))
    assert same(adapter(still.policy), adapter(first.policy))


def test_another_scale_of_the_adapter_is_refused_for_it_would_be_another_policy(make_job):
    one = run_stage(make_job(start("clue"), iterations=1))
    job = make_job(one.state, one.policy, iterations=1)
    other = job.policy.model_copy(update={"adapter": AdapterConfig(rank=4, alpha=80)})
    with pytest.raises(PolicyError, match=r"was trained with policy\.adapter\.alpha 8, and the recipe says 80: set it back"):
        run_stage(replace(job, policy=other))


def test_nothing_executable_and_no_path_of_this_machine_is_stored(make_job, tiny_base):
    trained = run_stage(make_job(start("clue"), iterations=1))
    names = files_below(trained.policy.path)
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl", ".py"))]
    copied = trained.policy.copy_to(trained.policy.path.parent / "copy")
    assert files_below(copied.path) == sorted(
        "README.md adapter_config.json adapter_model.safetensors optimizer.json optimizer.safetensors origin.json "
        "scheduler.json trainer_state.json".split()
    )


def test_an_unreadable_parent_is_refused_before_training(make_job, tmp_path):
    (tmp_path / "junk").mkdir()
    with pytest.raises(PolicyError, match="not a trained policy"):
        PolicyFolder(tmp_path / "junk").checked()
    trained = run_stage(make_job(start("clue"), iterations=1))
    (trained.policy.path / "optimizer.safetensors").write_bytes(b"broken")
    with pytest.raises(PolicyError, match="no training state that fits"):
        run_stage(make_job(trained.state, trained.policy, iterations=1))
