"""The control that is fine-tuned instead of playing: training examples of the embedded policy on the images of play."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from tests.training.jobs import ITERATIONS, adapter, optimizer, start, tiny_job
from vision_zero.config.evaluation import AlarmsConfig
from vision_zero.config.learning import METHODS
from vision_zero.config.nano_defaults import NANO_REASONING
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config_base import problems
from vision_zero.errors import PolicyError
from vision_zero.recipes.check import read_self_play
from vision_zero.report.curves import curve_charts
from vision_zero.training.diagnostics import abstention_collapse
from vision_zero.training.job import run_stage
from vision_zero.training.progress import tracked_metrics
from vision_zero.training.supervised import examples_of

pytestmark = pytest.mark.slow

SUPERVISED = {"method": "supervised", "switch": {"rule": "never", "start": "decision"}}


def job(base, beside, state=None, parent=None, **settings):
    return tiny_job(base, beside, state or start("decision"), parent, method="supervised", optimizer="per_stage", **settings)


@pytest.fixture(scope="module")
def trained(tiny_base, tmp_path_factory):
    """All iterations at one go."""
    return run_stage("decision", job(tiny_base, tmp_path_factory.mktemp("trained")))


def test_examples_are_about_the_pairs_that_play_would_use_as_many_as_it_trains_votes(tiny_base, tmp_path):
    play = job(tiny_base, tmp_path, games=2, votes_per_prompt=3)
    first, again, second = (examples_of(play, iteration) for iteration in (0, 0, 1))
    pairs = play.pairs.of_iteration(0)
    assert [each.image.tobytes() for each in first] == [
        image.tobytes() for pair in pairs for image in (pair.original, pair.modified)
    ]
    assert [len(each.examples) for each in first] == [2, 1, 2, 1]
    assert [each.examples for each in first] == [each.examples for each in again]
    examples = [example for each in (*first, *second) for example in each.examples]
    assert len({example.topic for example in examples}) > 2
    assert all(example.answer.startswith(NANO_REASONING) for example in examples if example.topic.endswith("reasoned"))
    assert not any(example.topic.endswith("direct") for example in examples)


def test_what_is_trained_is_learned(trained):
    assert trained.state.iteration == ITERATIONS
    assert trained.transcripts == ()
    losses = [record.metrics["loss"] for record in trained.state.history]
    assert losses[-1] < losses[0] - 0.3  # nats a word
    assert {record.metrics["examples"] for record in trained.state.history} == {6.0}
    assert all(weight.isfinite().all() for weight in adapter(trained.policy).values())
    assert any(weight.abs().sum() > 0 for name, weight in adapter(trained.policy).items() if "lora_B" in name)


def test_where_nobody_votes_no_rate_of_votes_is_shown(trained):
    assert not [name for name in trained.summary(start("decision")) if name not in ("trained iterations", "games", "measures")]
    assert "Votes: right, and N/A" not in [chart.title for chart in curve_charts(trained.state)]
    sent = tracked_metrics(trained.state.history[0], {"loss": 1.0})
    assert set(sent) == {"loss", "grad_norm", "learning_rate", "examples", "is_clue_stage"}
    assert abstention_collapse(trained.state, AlarmsConfig()).sentence == "no votes so far"


def test_it_goes_on_exactly_where_it_stopped(tiny_base, tmp_path, trained):
    half = run_stage("decision", job(tiny_base, tmp_path, iterations=2))
    whole = run_stage("decision", job(tiny_base, tmp_path, half.state, half.policy))
    assert whole.state.iteration == ITERATIONS
    for kept in (adapter, optimizer):
        ours, theirs = kept(whole.policy), kept(trained.policy)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_stage_that_is_not_on_and_a_schedule_that_is_done_hand_the_policy_on(tiny_base, tmp_path, trained):
    for stage, state in (("clue", start("decision")), ("decision", trained.state)):
        result = run_stage(stage, job(tiny_base, tmp_path, state, trained.policy))
        assert (result.state, result.policy) == (state, trained.policy)


def test_the_policy_of_another_base_is_not_trained_on(tiny_base, tmp_path, trained):
    with pytest.raises(PolicyError, match=r"was trained on .* and the weights of 'nano' are others"):
        run_stage("decision", job("nano", tmp_path, parent=trained.policy))


def test_what_was_trained_in_another_part_is_not_trained_on(tiny_base, tmp_path, trained):
    more = job(tiny_base, tmp_path, parent=trained.policy)
    more = replace(more, policy=more.policy.model_copy(update={"train_on": "both"}))
    with pytest.raises(PolicyError, match=r"another policy\.adapter or policy\.train_on \(adapter, language\): set them back"):
        run_stage("decision", more)


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": {"base": "Qwen/Qwen2.5-VL-3B-Instruct"}},
        {"policy": {"adapter": None}},
        {"pairs": {"mix": {"scenes": 1, "charts": 1}}},
        {"pairs": {"mix": {"charts": 1}}},
        {"game": {"spy_image": "blank"}},
        {"game": {"spy_image": "identical"}},
    ],
)
def test_other_recipes_are_refused_in_one_line(changes):
    with pytest.raises(ValidationError) as error:
        SelfPlayConfig.model_validate({"learning": SUPERVISED, **changes})
    assert "supervised has training examples only for an adapter of policy.base nano on scenes" in problems(error.value)
    assert "\n" not in problems(error.value)


def test_it_has_one_stage_one_process_and_single_precision():
    for learning in ({"switch": {"rule": "fixed"}}, {"num_processes": 2}, {"switch": {"rule": "never", "start": "clue"}}):
        with pytest.raises(ValidationError, match="has one stage and one process"):
            SelfPlayConfig.model_validate({"learning": {**SUPERVISED, **learning}})
    for setting in ("bf16", "gradient_checkpointing"):
        with pytest.raises(ValidationError, match="trains in float32 and keeps activations"):
            SelfPlayConfig.model_validate({"learning": {**SUPERVISED, setting: True}})
    assert SelfPlayConfig.model_validate({"learning": SUPERVISED}).learning.method == "supervised"


def test_every_method_is_there_and_no_other():
    for module in METHODS.values():
        assert callable(import_module(f"vision_zero.training.{module}").run_stage)
    with pytest.raises(ValidationError, match="imitation is no training method: self_play, supervised are"):
        SelfPlayConfig.model_validate({"learning": {"method": "imitation"}})
    assert read_self_play(Path("configs/self_play/nano.yaml")).learning.method == "self_play"
