"""A prompt that is read once for all its replies gives the log-probs and gradients of whole rows, in every family."""

from functools import cache
from types import SimpleNamespace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.utils import checkpoint
from transformers import AutoConfig
from trl.trainer.utils import add_fused_lm_head

from tests.make import scene_pairs
from tests.policy.families import FAMILIES, build_family, write_family
from tests.training.scoring import as_rows, learned, read_together, same
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import TrainingError
from vision_zero.policy.chats import user_message
from vision_zero.policy.families import FAMILIES as KNOWN
from vision_zero.policy.loading import load_policy
from vision_zero.training.microbatches import PASSES, PROMPT, SEEN, Pass, in_number, picked
from vision_zero.training.shared_prefix import share_prefix

pytestmark = pytest.mark.slow

ANSWERS = (0, 1, 0, 0, 1)
"""The prompt of each reply."""
LENGTHS = (7, 3, 5, 1, 6)
IN_PASSES = [Pass([3], 1), Pass([1, 2], 5), Pass([4, 0], 7)]
"""Those replies, read in three."""

families = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a family's tiny policy, made once."""
    return cache(lambda family: write_family(family, tmp_path_factory.mktemp("families") / family))


def policy_of(folder, family, train_on="both"):
    """A policy with TRL's head that can read prompts once."""
    policy = load_policy(PolicyConfig(base=str(folder(family)), train_on=train_on), None)
    add_fused_lm_head(policy.model, temperature=0.7, outputs=("log_probs", "entropy"))
    share_prefix(policy.model)
    return policy


def replies_to(policy, lengths=LENGTHS):
    """A micro-batch as TRL makes it: five replies to two prompts of other lengths and images."""
    one, two = (pair.original for pair in scene_pairs(2))
    asked = [user_message("Who is the spy?", one), user_message("Who is the spy, and what do you see of it?", two)]
    prompts = policy.encode([asked[answer] for answer in ANSWERS])
    words = torch.tensor(policy.processor.tokenizer("a large red cube left of two small spheres")["input_ids"])
    width, draw = max(lengths), torch.Generator().manual_seed(0)
    replies = words[torch.randint(len(words), (len(lengths), width), generator=draw)]
    mask = torch.tensor([[1] * length + [0] * (width - length) for length in lengths])
    part = {name: value for name, value in prompts.items() if name in SEEN}
    if "mm_token_type_ids" in part:
        part["mm_token_type_ids"] = torch.cat([part["mm_token_type_ids"], torch.zeros_like(replies)], dim=1)
    return {
        "prompt_ids": prompts["input_ids"],
        "prompt_mask": prompts["attention_mask"],
        "completion_ids": replies * mask,
        "completion_mask": mask,
        "num_images": [1] * len(ANSWERS),
        **(
            {"num_tiles": [len(part["pixel_values"]) // len(ANSWERS)] * len(ANSWERS)}
            if policy.model.config.model_type == "internvl"
            else {}
        ),
        **part,
        PROMPT: list(ANSWERS),
    }


@families
def test_all_gradients_are_those_of_whole_rows(folder, family):
    policy = policy_of(folder, family)
    part = replies_to(policy)
    rows = learned(policy.model, part, as_rows)
    same(rows, learned(policy.model, part, read_together))
    assert len(rows[1]) == len(list(policy.model.parameters())), "the vision side learns from prompts alone"


@families
def test_gradients_of_several_passes_are_those_of_whole_rows(folder, family):
    policy = policy_of(folder, family)
    part = replies_to(policy)
    rows = learned(policy.model, part, as_rows)
    for own in (IN_PASSES, in_number(IN_PASSES, 5), [Pass([row], 7) for row in (2, 0, 4, 1, 3)]):
        same(rows, learned(policy.model, {**part, PASSES: own}, read_together))


def test_replies_of_very_different_length_are_read_apart_and_learn_the_same(folder):
    policy = policy_of(folder, "qwen2_5_vl")
    part = replies_to(policy, (3, 100, 0, 5, 90))
    read = []
    policy.model.get_decoder().layers[0].register_forward_pre_hook(lambda layer, args: read.append(tuple(args[0].shape[:2])))
    together = learned(policy.model, part, read_together)
    assert read[1:] == [(3, 5), (2, 100)]
    same(learned(policy.model, part, as_rows), together)
    assert not together[0][:, 2].any(), "an empty reply has no log-probs"


@pytest.mark.parametrize("length", [4, 0])
def test_one_reply_and_an_empty_one_are_scored_behind_their_prompt(folder, length):
    policy = policy_of(folder, "qwen2_5_vl")
    part = picked(replies_to(policy, (4, 1, 1, 1, 1)), [0])
    part["completion_mask"][:, length:] = 0
    log_probs, _ = read_together(policy.model, part)
    assert torch.allclose(log_probs, as_rows(policy.model, part)[0], atol=1e-5)
    log_probs.sum().backward()
    assert bool(log_probs.any()) == (length > 0)


@families
def test_gradients_with_checkpoints_are_those_without(folder, family, monkeypatch):
    policy = policy_of(folder, family, train_on="language")
    part = replies_to(policy)
    rows = learned(policy.model, part, as_rows)
    policy.model.train()
    policy.model.activation_checkpointing_enable()
    again = []
    recompute = checkpoint._CheckpointFrame.__init__
    monkeypatch.setattr(checkpoint._CheckpointFrame, "__init__", lambda *args: again.append(1) or recompute(*args))
    same(rows, learned(policy.model, {**part, PASSES: IN_PASSES}, read_together))
    assert len(again) >= 2 * (1 + len(IN_PASSES)), "two layers, with the prompts and in each pass"


@families
def test_an_adapter_learns_the_same_and_the_reference_is_the_base_without_it(folder, family):
    policy = policy_of(folder, family, train_on="language")
    part = replies_to(policy)
    with torch.no_grad():
        base = as_rows(policy.model, part)[0]
    torch.manual_seed(0)
    linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = get_peft_model(policy.model, LoraConfig(r=4, target_modules=linear, init_lora_weights=False, task_type="CAUSAL_LM"))
    same(learned(model, part, as_rows), learned(model, part, read_together))
    with torch.no_grad(), model.disable_adapter():
        assert torch.allclose(read_together(model, part)[0], base, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(read_together(model, part)[0], base, atol=1e-2)


def test_a_prompt_is_read_once_and_looked_at_once(folder):
    policy = policy_of(folder, "qwen2_5_vl", train_on="both")
    part, read = replies_to(policy), []
    policy.model.get_decoder().layers[0].register_forward_pre_hook(lambda layer, args: read.append(tuple(args[0].shape[:2])))
    policy.model.model.visual.register_forward_pre_hook(lambda vision, args: read.append(len(args[0])))
    read_together(policy.model, part)
    prompt, reply = part["prompt_ids"].shape[1], part["completion_ids"].shape[1]
    assert read == [len(part["pixel_values"]) * 2 // 5, (2, prompt - 1), (5, reply)]


def test_models_that_keep_something_else_of_a_prompt_are_refused():
    assert {name for name, known in KNOWN.items() if known.shares_prompts} == set(FAMILIES)
    sliding = build_family("qwen2_5_vl")
    sliding.config.text_config.layer_types = ["full_attention", "sliding_attention"]
    sliding.config.text_config.sliding_window = 16
    other = SimpleNamespace(config=AutoConfig.for_model("paligemma"))
    for model, message in (
        (sliding, "this qwen2_5_vl has layers without full attention"),
        (other, "models of the family paligemma, only in qwen2_5_vl"),
    ):
        with pytest.raises(TrainingError, match=message) as caught:
            share_prefix(model)
        assert "set learning.shared_prefix to false" in str(caught.value)
        assert "\n" not in str(caught.value)
