"""Both stages on a tiny model: what TRL trains is what was sampled, scored by our rules.

A random model's votes mean nothing, so tests of the clue stage read a vote out of any reply: its length decides.
"""

from dataclasses import replace

import pytest
import torch
from pydantic import ValidationError

from tests.make import scene_pairs
from tests.training.jobs import (
    GAMES,
    ITERATIONS,
    adapter,
    run_clue_stage,
    run_decision_stage,
    run_stage,
    start,
    watched,
)
from vision_zero.config.learning import LearningConfig, SwitchConfig
from vision_zero.config.policy import AdapterConfig, PolicyConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.errors import TrainingError
from vision_zero.policy import compiled_decoding
from vision_zero.policy.chats import user_message
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_base, load_policy
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed
from vision_zero.rewards.role_advantage import RoleBaselines, batch_advantages
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.state import StageState
from vision_zero.training.updates import UpdateTrainer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("readable_votes")]


def test_sampled_tokens_are_trained_and_carry_their_seats_advantage(make_job):
    job = make_job(start("clue"), iterations=2)
    loop, _ = watched(job)
    expected, baselines = [], RoleBaselines()
    for iteration in range(2):
        games = loop.transcripts[iteration * GAMES : (iteration + 1) * GAMES]
        advantages, baselines = batch_advantages(games, baselines, job.rewards)
        expected.append({game.game_id: by_seat for game, by_seat in zip(games, advantages, strict=True)})
    assert len(loop.updates) == 2
    for (said, output), advantages in zip(loop.updates, expected, strict=True):
        assert len(said) == GAMES * 3
        for row, (request, reply) in enumerate(said):
            kept = output["completion_mask"][row].bool()
            assert tuple(output["completion_ids"][row][kept].tolist()) == reply.tokens
            assert output["advantages"][row].item() == pytest.approx(advantages[request.game_id][request.seat], abs=1e-6)
    assert any(abs(value) > 0.01 for value in loop.updates[0][1]["advantages"].tolist())


def test_shuffled_advantages_are_those_of_other_games(make_job):
    """In the first iteration, which plays the same games."""
    job = make_job(start("clue"), iterations=1, games=6)
    control = replace(job, rewards=job.rewards.model_copy(update={"shuffled": True}), folder=job.folder.with_name("control"))
    (real, _), (other, _) = watched(job), watched(control)
    assert real.transcripts == other.transcripts
    earned, handed = (loop.updates[0][1]["advantages"].view(-1, 6).T.tolist() for loop in (real, other))
    assert earned != handed
    assert sorted(sorted(game) for game in earned) == sorted(sorted(game) for game in handed)
    assert real.progress.state.baselines == other.progress.state.baselines


def test_each_iteration_is_measured_by_role(make_job):
    state = run_clue_stage(make_job(start("clue"), iterations=2)).state
    for record in state.history:
        for role in ("spy", "civilian"):
            assert record.metrics[f"clue/{role}/tokens"] > 0
            assert record.metrics[f"clue/{role}/entropy"] > 0
        tokens = {role: clues * record.metrics[f"clue/{role}/tokens"] for role, clues in (("spy", 1), ("civilian", 2))}
        for name in ("kl", "entropy"):
            whole = sum(tokens[role] * record.metrics[f"clue/{role}/{name}"] for role in tokens) / sum(tokens.values())
            assert record.metrics[name] == pytest.approx(whole, rel=1e-4, abs=1e-7), "the mean over all tokens"
        assert record.metrics["zero_variance"] == record.metrics["clue/zero_variance"] < 1
    assert all(state.history[1].metrics[f"clue/{role}/kl"] > 0 for role in ("spy", "civilian"))


def test_the_prompt_that_is_trained_is_the_prompt_that_was_shown(make_job):
    loop, _ = watched(make_job(start("clue"), iterations=1))
    said, output = loop.updates[0]
    encoded = loop.player().encode([user_message(request.prompt, request.image) for request, _ in said])
    assert torch.equal(encoded["input_ids"], output["prompt_ids"])
    assert torch.equal(encoded["pixel_values"], output["pixel_values"])


def test_the_reference_is_the_base_with_its_adapter_off(make_job):
    first = run_clue_stage(make_job(start("clue"), iterations=2))
    loop, _ = watched(make_job(first.state, first.policy, iterations=1))
    said, output = loop.updates[0]
    base, _ = load_base(loop.job.policy)
    scored = completion_logps(base, loop.player(), said, output)
    mask = output["completion_mask"].bool()
    assert torch.allclose(output["ref_per_token_logps"][mask], scored[mask], atol=1e-4)


def completion_logps(model, player, said, output):
    inputs = player.encode([user_message(request.prompt, request.image) for request, _ in said])
    ids = torch.cat([inputs["input_ids"], output["completion_ids"]], dim=1)
    mask = torch.cat([inputs["attention_mask"], output["completion_mask"]], dim=1)
    kinds = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(output["completion_ids"])], dim=1)
    with torch.no_grad():
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            mm_token_type_ids=kinds,
            pixel_values=inputs["pixel_values"],
            image_grid_thw=inputs["image_grid_thw"],
        ).logits
    width = output["completion_ids"].shape[1]
    logps = logits[:, -width - 1 : -1].log_softmax(-1)
    return logps.gather(2, output["completion_ids"].unsqueeze(2)).squeeze(2)


def test_merged_play_is_the_same_policy_and_leaves_what_is_trained_alone(make_job):
    first = run_clue_stage(make_job(start("clue"), iterations=1))
    loop, _ = watched(make_job(first.state, first.policy, iterations=1, merged_play=True))
    said, output = loop.updates[0]
    apart = Policy(loop.trainer.model, loop.trainer.processing_class, loop.job.policy.sampling)
    mask = output["completion_mask"].bool()
    scored = [completion_logps(player.model, player, said, output)[mask] for player in (loop.player(), apart)]
    assert torch.allclose(*scored, atol=1e-4)
    assert not any("lora" in name for name, _ in loop.player().model.named_parameters())
    assert any("lora" in name for name, _ in loop.trainer.model.named_parameters())


def test_merged_play_computes_nothing_on_what_is_trained(make_job):
    asked = [user_message("Who is the spy?", pair.original) for pair in scene_pairs(2)]

    def adapters_called(merged_play):
        loop, _ = watched(make_job(start("clue"), iterations=1, merged_play=merged_play))
        calls = []
        for name, module in loop.trainer.model.named_modules():
            if "lora_A" in name:
                module.register_forward_pre_hook(lambda *_: calls.append(1))
        loop.player().complete(asked, 4, Seed(0))
        return len(calls)

    assert adapters_called(merged_play=True) == 0 < adapters_called(merged_play=False)


def test_compiled_play_is_that_of_the_policy_as_it_is_in_each_iteration(make_job, monkeypatch):
    """The steps are traced once, and the weights that they read go on learning; without a compiler, which takes a minute."""
    graphs = []
    monkeypatch.setattr(compiled_decoding, "BACKEND", lambda graph, inputs: graphs.append(graph) or graph.forward)
    plain = watched(make_job(start("clue"), iterations=3))[0]
    job = make_job(start("clue"), iterations=3)
    loop = watched(replace(job, policy=job.policy.model_copy(update={"compiled": True})))[0]
    assert loop.transcripts == plain.transcripts
    assert len(loop._decoders) == 1
    assert 1 <= len(graphs) <= 4, "of two and four rows, and of one where others have ended"


def test_log_probs_move_with_the_sign_of_the_advantage(make_job):
    loop, policy = watched(make_job(start("clue"), iterations=1, warmup=0.0, kl=0.0, learning_rate=3e-3))
    said, output = loop.updates[0]
    before = completion_logps(load_base(loop.job.policy)[0], loop.player(), said, output)
    after = completion_logps(load_policy(loop.job.policy, policy.path).model, loop.player(), said, output)
    mask = output["completion_mask"]
    moved = ((after - before) * mask).sum(1) / mask.sum(1)
    assert torch.corrcoef(torch.stack([moved, output["advantages"]]))[0, 1] > 0.5


def test_a_reply_is_less_likely_before_another_image(tiny_base):
    policy = load_policy(PolicyConfig(base=str(tiny_base)), None)
    one, two = (pair.original for pair in scene_pairs(2))

    def logits(image):
        with torch.no_grad():
            return policy.model(**policy.encode([user_message("Your clue?", image)])).logits[0, -1]

    assert torch.equal(logits(one), logits(one))
    assert (logits(one) - logits(two)).abs().max() > 1e-3


@pytest.mark.parametrize("stage", ["clue", "decision"])
def test_a_learning_rate_of_zero_changes_nothing(make_job, stage):
    trained = run_stage(make_job(start(stage), iterations=2, learning_rate=1e-30))
    weights = adapter(trained.policy)
    assert max(tensor.abs().max() for name, tensor in weights.items() if "lora_B" in name) < 1e-20
    assert trained.state.iteration == 2


def test_a_loss_that_is_no_number_stops_training(make_job, monkeypatch):
    monkeypatch.setattr(
        UpdateTrainer, "compute_loss", lambda self, *args, **kwargs: torch.tensor(float("nan"), requires_grad=True)
    )
    with pytest.raises(TrainingError, match="loss is nan at iteration 1"):
        run_clue_stage(make_job(start("clue"), iterations=2))


def test_gradients_that_are_no_numbers_stop_training(make_job, monkeypatch):
    def loss(self, model, *args, **kwargs):
        weight = next(parameter for parameter in model.parameters() if parameter.requires_grad)
        return (weight * 0).sqrt().sum()  # 0, and its gradient 0/0

    monkeypatch.setattr(UpdateTrainer, "compute_loss", loss)
    with pytest.raises(TrainingError, match="grad_norm is nan at iteration 1"):
        run_clue_stage(make_job(start("clue"), iterations=2))


def test_an_adapter_that_matches_nothing_is_refused(make_job):
    job = make_job(start("clue"))
    policy = job.policy.model_copy(update={"adapter": AdapterConfig(target_modules=("no_such_layer",))})
    with pytest.raises(TrainingError, match="target_modules matches no layer"):
        run_clue_stage(replace(job, policy=policy))


def test_the_stage_ends_when_the_controller_switches(make_job):
    job = make_job(start("clue"))
    rules = SwitchConfig(rule="fixed", period=2)
    switched = run_clue_stage(replace(job, state=StageState.at_start(rules).model_copy(update={"stage": "clue"})))
    assert switched.state.stage == "decision"
    assert switched.state.iteration == 2
    assert [record.stage for record in switched.state.history] == ["clue", "clue"]


def test_each_stage_leaves_the_other_ones_turn_alone(make_job):
    for run, other in ((run_clue_stage, "decision"), (run_decision_stage, "clue")):
        assert run(make_job(start(other), iterations=2)) == StageResult(start(other), (), PolicyFolder(None))
    for stage in ("clue", "decision"):
        finished = start(stage).model_copy(update={"iteration": ITERATIONS})
        assert run_stage(make_job(finished)) == StageResult(finished, (), PolicyFolder(None))


def test_each_stage_may_have_settings_of_its_own(tmp_path):
    config = SelfPlayConfig.model_validate(
        {
            "policy": {"sampling": {"temperature": 0.5}},
            "learning": {
                "games_per_iteration": 4,
                "decision": {"learning_rate": 5e-4, "kl": 0.0, "votes_per_prompt": 3, "games_per_iteration": 2},
                "clue": {"max_grad_norm": 0.5, "vote_temperature": 0.25},
            },
            "pairs": {"spare": 0.0},
        }
    )
    table = PairTable.from_pairs(enumerate(scene_pairs(8)), "train")
    clue, decision = (
        StageJob.of(config, start(stage), PolicyFolder(None), table, tmp_path, run="a run") for stage in ("clue", "decision")
    )
    assert (clue.learning.learning_rate, clue.learning.kl, clue.learning.max_grad_norm) == (1e-5, 0.04, 0.5)
    assert (decision.learning.learning_rate, decision.learning.kl, decision.learning.max_grad_norm) == (5e-4, 0.0, 1.0)
    assert (clue.learning.votes_per_prompt, decision.learning.votes_per_prompt) == (8, 3)
    temperatures = [[job.policy.sampling.of(kind).temperature for kind in ("clue", "vote")] for job in (clue, decision)]
    assert temperatures == [[0.5, 0.25], [0.5, 0.5]]
    for iteration in range(2):
        more, fewer = ([pair.pair_id for pair in job.pairs.of_iteration(iteration)] for job in (clue, decision))
        assert (len(more), fewer) == (4, more[:2]), "the same pairs belong to an iteration, whichever stage it is"
    with pytest.raises(ValidationError, match="games_per_iteration 3 cannot be shared equally by num_processes 2"):
        LearningConfig.model_validate({"num_processes": 2, "clue": {"games_per_iteration": 3}})


def test_after_a_refusal_other_replies_are_drawn_and_a_repeated_run_draws_the_same(tmp_path):
    table = PairTable.from_pairs(enumerate(scene_pairs(4)), "train")

    def seed(refusals):
        state = start("clue").model_copy(update={"refusals": refusals})
        return StageJob.of(SelfPlayConfig(), state, PolicyFolder(None), table, tmp_path, run="a run").seed

    assert seed(0) == seed(0) == Seed(0)
    assert seed(1) == seed(1)
    assert len({seed(refusals).child("iteration", 3).integer() for refusals in range(3)}) == 3
