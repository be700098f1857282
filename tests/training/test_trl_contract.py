"""What vision_zero/training/trl_adapter.py relies on of TRL and of transformers' Trainer beyond their public interface.

After an upgrade the test that fails names what changed: mend the adapter (and updates.py or microbatches.py, where a batch has
other entries), and nothing else.
"""

import inspect
import re

import pytest
import torch
from transformers import Trainer
from trl import GRPOTrainer
from trl.trainer.utils import add_fused_lm_head

from tests.make import scene_pairs
from tests.training.jobs import GAMES, start, votes_from_any_reply
from vision_zero.config.policy import PolicyConfig
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_base, load_policy
from vision_zero.policy.transformers_adapter import StrictLoading, is_replaced
from vision_zero.training.clue_stage import ClueLoop
from vision_zero.training.grpo_arguments import OneDeviceConfig
from vision_zero.training.trl_adapter import (
    TrlTrainer,
    remove_fused_head,
    split_pixel_values_by_grid,
    unsplit_pixel_values_by_grid,
)
from vision_zero.training.updates import UpdateTrainer

OVERRIDDEN = {
    "training_step": (GRPOTrainer, "model inputs num_items_in_batch"),
    "log": (GRPOTrainer, "logs start_time"),
    "create_model_card": (GRPOTrainer, "model_name dataset_name tags"),
    "_get_per_token_logps_and_entropies": (
        GRPOTrainer,
        "model input_ids attention_mask logits_to_keep batch_size compute_entropy compute_aux_loss "
        "pixel_values image_grid_thw num_images pixel_attention_mask spatial_shapes num_tiles image_sizes "
        "token_type_ids mm_token_type_ids image_position_ids",
    ),
    "_load_from_checkpoint": (Trainer, "resume_from_checkpoint model"),
}
"""Every method that is overridden, by whom it is declared, and its parameters."""
CALLED = {
    "_generate_and_score_completions": (GRPOTrainer, "inputs"),
    "compute_loss": (GRPOTrainer, "model inputs return_outputs num_items_in_batch"),
    "compute_loss_context_manager": (Trainer, ""),
}
"""Methods of the trainer that updates are made with, likewise."""
SET = {"use_vllm", "_last_loaded_step"}
"""Attributes of TRL's that are set here: tests/training/test_importance_sampling.py holds what is relied on."""
BATCH = {
    *("prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "advantages", "ref_per_token_logps"),
    *("pixel_values", "image_grid_thw", "mm_token_type_ids", "num_images", "num_items_in_batch"),
}
"""What TRL's batch holds for Qwen2.5-VL; microbatches.py knows for each entry whether it has a column for each token."""
LOGGED = {"kl", "entropy", "loss", "grad_norm", "learning_rate", "tokens", "cut_off"}
"""Metrics of TRL that the history of a run keeps, under our names (progress.py)."""


def parameters(function):
    """Names of a function's parameters, without ``self``."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


@pytest.mark.parametrize("name", [*OVERRIDDEN, *CALLED])
def test_methods_have_the_parameters_that_are_relied_on(name):
    owner, expected = {**OVERRIDDEN, **CALLED}[name]
    assert hasattr(owner, name), f"{owner.__name__}.{name} is gone: see the head of trl_adapter.py for what it was needed for"
    found = parameters(getattr(owner, name))
    assert found == expected.split(), f"{owner.__name__}.{name} has other parameters: {found}"


def test_nothing_else_is_overridden():
    own = {name for kind in (UpdateTrainer, TrlTrainer, StrictLoading) for name in vars(kind)}
    shared = {name for name in own if hasattr(GRPOTrainer, name) and not name.startswith("__")}
    assert shared == set(OVERRIDDEN), "a method of ours has the name of one of TRL's: rename it, or list it here with its reason"


def assigned(*kinds):
    """Names of the attributes that classes give to themselves."""
    return {name for kind in kinds for name in re.findall(r"self\.(\w+)(?::[^=\n]+)? = ", inspect.getsource(kind))}


def test_no_attribute_of_ours_means_something_to_trl():
    ours, theirs = assigned(UpdateTrainer, TrlTrainer), assigned(*(kind for kind in GRPOTrainer.__mro__ if kind is not object))
    assert ours >= {"loop", "sizes", "_microbatch"}
    assert theirs >= {"model_wrapped", "_metrics", "ref_model"}
    assert ours & theirs == SET, "TRL or transformers uses these attributes now: rename ours"


class Looked(ClueLoop):
    """Keeps the batch of its update, what TRL measured, and whether log-probs were asked for with gradients."""

    def __init__(self, *args):
        self.asked = []
        super().__init__(*args)
        update, log_probs = self.trainer.update, self.trainer.log_probs

        def updated(batch, *how):
            self.batch = batch
            loss = update(batch, *how)
            self.measured = {name: list(values) for name, values in self.trainer.loss_metrics.items()}
            return loss

        self.trainer.update = updated
        self.trainer.log_probs = lambda *args: self.asked.append(torch.is_grad_enabled()) or log_probs(*args)

    def score(self, games, turns):
        self.turns = turns
        return super().score(games, turns)


@pytest.fixture(scope="module")
def looked(tiny_base, tmp_path_factory):
    """One iteration of the clue stage on a tiny policy."""
    from tests.training.jobs import tiny_job

    with pytest.MonkeyPatch.context() as patch:
        votes_from_any_reply(patch)
        job = tiny_job(tiny_base, tmp_path_factory.mktemp("contract"), start("clue"), iterations=1)
        loop = Looked(*load_base(job.policy), job)
        loop.run()
        return loop


def test_a_batch_holds_what_updates_read(looked):
    found = set(looked.batch) - {"prompt"}  # which is ours
    assert found == BATCH, f"_generate_and_score_completions returns other entries: {found ^ BATCH}; teach microbatches.py"
    rows = GAMES * 3
    assert looked.batch["advantages"].shape == (rows,)
    assert looked.batch["ref_per_token_logps"].shape == looked.batch["completion_ids"].shape
    assert len(looked.batch["num_images"]) == rows


def test_prompts_are_padded_at_the_left_and_completions_at_the_right_and_hold_the_sampled_tokens(looked):
    for row, (_, reply) in enumerate(looked.turns):
        prompt, completion = (looked.batch[f"{name}_mask"][row].tolist() for name in ("prompt", "completion"))
        assert prompt == sorted(prompt), "prompts are no longer padded at the left"
        assert completion == sorted(completion, reverse=True), "completions are no longer padded at the right"
        assert tuple(looked.batch["completion_ids"][row][: sum(completion)].tolist()) == reply.tokens


def test_the_reference_is_scored_once_without_gradients_and_then_each_micro_batch_with_them(looked):
    parts = len(looked.measured["kl"])
    assert looked.asked[0] is False, "the reference is no longer scored by _get_per_token_logps_and_entropies"
    assert looked.asked[1:] and all(looked.asked[1:]), "the loss no longer asks for log-probs there"
    assert parts == 1, "updates.weigh has made one value of those of the micro-batches"


def test_the_history_finds_its_metrics_in_the_log(looked):
    [record] = looked.progress.state.history
    assert set(record.metrics) >= LOGGED, f"TRL logs otherwise named metrics: {LOGGED - set(record.metrics)} are missing"


def test_group_advantages_come_from_the_column_of_rewards(looked):
    rewards = [1.0, 0.0, -1.0] * GAMES
    batch = looked.trainer.batch(looked.turns, rewards, looked.trained_policy())
    assert batch["advantages"].tolist() == pytest.approx([1 / (1 + 1e-4), 0.0, -1 / (1 + 1e-4)] * GAMES)


def test_a_fused_head_gives_log_probs_and_entropies_of_shifted_labels(tiny_base):
    model = load_policy(PolicyConfig(base=str(tiny_base)), None)
    inputs = model.encode([user_message("Speak.", scene_pairs(1)[0].original)])
    with torch.no_grad():
        logits = model.model(**inputs).logits.log_softmax(-1)
    add_fused_lm_head(model.model, outputs=("log_probs", "entropy"))
    assert is_replaced(model.model, "forward"), "the fused head is no longer a forward on the model"
    labels = torch.full_like(inputs["input_ids"], -100)
    labels[:, -1] = 25
    with torch.no_grad():
        scored = model.model(**inputs, shift_labels=labels, fused_lm_head=True)
    assert scored.log_probs[0, -1].item() == pytest.approx(logits[0, -1, 25].item(), abs=1e-4)
    assert scored.entropy[0, -1].item() == pytest.approx(-(logits[0, -1].exp() * logits[0, -1]).sum().item(), abs=1e-3)
    remove_fused_head(model.model)
    with torch.no_grad():
        assert torch.equal(model.model(**inputs).logits.log_softmax(-1), logits)


def test_images_are_split_by_row_and_joined_again(looked):
    rows = split_pixel_values_by_grid(looked.batch)
    assert [len(pixels) for pixels in rows["pixel_values"]] == looked.batch["image_grid_thw"].prod(-1).tolist()
    joined = unsplit_pixel_values_by_grid(rows)
    assert torch.equal(joined["pixel_values"], looked.batch["pixel_values"])


def test_a_process_has_one_device_however_many_gpus_there_are(tmp_path):
    config = OneDeviceConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, per_device_train_batch_size=8, report_to=[])
    config._n_gpu = 4
    assert config.n_gpu == 1
    assert config.train_batch_size == 8, "transformers no longer reads n_gpu for the size of a batch"
