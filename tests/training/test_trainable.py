"""Every family of models plays, trains in both stages, saves and goes on; and exactly what ``train_on`` names is trained.

A random model's votes mean nothing, so a vote is read out of any reply: its length decides.
"""

import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tests.policy.families import FAMILIES, write_family
from tests.training.jobs import run_clue_stage, run_decision_stage, run_stage, start, tiny_job, watched
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_base, load_policy

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("readable_votes")]

LANGUAGE = {
    "qwen2_5_vl": ("model.language_model.", "lm_head."),
    "qwen3_vl": ("model.language_model.", "lm_head."),
    "internvl": ("model.language_model.", "lm_head."),
    "idefics3": ("model.text_model.", "lm_head."),
    "smolvlm": ("model.text_model.", "lm_head."),
}
VISION = {
    "qwen2_5_vl": ("model.visual.",),
    "qwen3_vl": ("model.visual.",),
    "internvl": ("model.vision_tower.", "model.multi_modal_projector."),
    "idefics3": ("model.vision_model.", "model.connector."),
    "smolvlm": ("model.vision_model.", "model.connector."),
}
SIDES = ("language", "vision", "both")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The folder of a family's tiny policy, made once."""
    return cache(lambda family: write_family(family, tmp_path_factory.mktemp("sides") / family))


def prefixes(family, train_on):
    return {"language": LANGUAGE[family], "vision": VISION[family], "both": LANGUAGE[family] + VISION[family]}[train_on]


def both_stages(base, folder, policy):
    """An iteration of the clue stage, and one of the decision stage that goes on from it: the two policies."""

    def job(state, parent=None):
        made = tiny_job(base, folder, state, parent, iterations=1)
        return replace(made, policy=made.policy.model_copy(update=policy))

    clue = run_clue_stage(job(start("clue")))
    voting = job(clue.state.model_copy(update={"stage": "decision"}), clue.policy)
    decision = run_decision_stage(voting)
    assert (clue.state.iteration, decision.state.iteration) == (1, 2)
    assert all(record.metrics["grad_norm"] > 0 for record in decision.state.history)
    return clue.policy, decision.policy


@pytest.mark.parametrize("train_on", SIDES)
@pytest.mark.parametrize("family", FAMILIES)
def test_exactly_the_linear_layers_of_a_side_get_adapters_that_learn(base, tmp_path, family, train_on):
    model, _ = load_base(PolicyConfig(base=str(base(family))))
    layers = {name for name, module in model.named_modules() if type(module) is nn.Linear}
    own = prefixes(family, train_on)
    expected = {name for name in layers if name.startswith(own) and name != "lm_head"}
    policies = both_stages(base(family), tmp_path, {"train_on": train_on})
    ups = []
    for policy in policies:
        tensors = load_file(policy.path / "adapter_model.safetensors")
        names = {name.removeprefix("base_model.model.").rsplit(".lora_", 1)[0] for name in tensors}
        assert names == expected
        ups.append({name: tensor for name, tensor in tensors.items() if "lora_B" in name})
    assert len(ups[0]) == len(expected) > 4
    assert all(tensor.abs().max() > 0 for tensor in ups[0].values())
    assert all(not torch.equal(tensor, ups[1][name]) for name, tensor in ups[0].items()), "and went on learning"


@pytest.mark.parametrize("family", FAMILIES)
def test_checkpointing_changes_memory_and_not_what_is_learned(base, tmp_path, family):
    def trained(**learning):
        job = tiny_job(base(family), tmp_path, start("clue"), iterations=1, **learning)
        policy = run_clue_stage(replace(job, policy=job.policy.model_copy(update={"train_on": "both"}))).policy
        return load_file(policy.path / "adapter_model.safetensors"), load_file(policy.path / "optimizer.safetensors")

    for plain, checkpointed in zip(trained(), trained(gradient_checkpointing=True), strict=True):
        assert plain.keys() == checkpointed.keys()
        for name, tensor in plain.items():
            assert torch.allclose(tensor, checkpointed[name], rtol=0, atol=1e-4 * tensor.abs().max().item()), name


@pytest.mark.parametrize("train_on", SIDES)
@pytest.mark.parametrize("family", FAMILIES)
def test_without_an_adapter_exactly_the_parameters_of_a_side_learn(base, tmp_path, family, train_on):
    before = weights(load_base(PolicyConfig(base=str(base(family))))[0])
    expected = {name for name in before if name.startswith(prefixes(family, train_on))}
    for policy in both_stages(base(family), tmp_path, {"train_on": train_on, "adapter": None}):
        assert policy.is_full
        after = weights(load_policy(PolicyConfig(base=str(base(family))), policy.path).model)
        assert {name for name, tensor in after.items() if not torch.equal(tensor, before[name])} == expected
        before = after


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_and_images_that_are_trained_are_those_that_were_shown(base, tmp_path, family):
    """Also where the tokenizer's own settings would cut them off."""
    folder = Path(shutil.copytree(base(family), tmp_path / "base"))
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"truncation": True, "max_length": 30}))
    job = tiny_job(folder, tmp_path, start("clue"), iterations=1)
    loop, _ = watched(job)
    [(turns, batch)] = loop.updates
    shown = loop.player().encode([user_message(request.prompt, request.image) for request, _ in turns])
    assert shown["input_ids"].shape[1] > 30
    assert torch.equal(shown["input_ids"], batch["prompt_ids"])
    assert torch.equal(shown["pixel_values"], batch["pixel_values"])


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_trains_as_the_recipes_for_gpus_do(base, tmp_path, family):
    job = tiny_job(base(family), tmp_path, start("clue"), iterations=1, bf16=True, gradient_checkpointing=True)
    job = replace(job, policy=job.policy.model_copy(update={"dtype": "bfloat16", "train_on": "both"}))
    trained = run_clue_stage(job)
    tensors = load_file(trained.policy.path / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    assert trained.state.history[0].metrics["grad_norm"] > 0
    assert sum(tensor.abs().max() > 0 for name, tensor in tensors.items() if "lora_B" in name) > 10


def spoil_template(folder):
    (folder / "chat_template.jinja").unlink()


def spoil_count(folder):
    """As many tokens as another model makes of an image."""
    file = folder / "processor_config.json"
    settings = json.loads(file.read_text())
    name = next((name for name in ("image_seq_len", "image_seq_length") if name in settings), None)
    if name is None:
        settings["image_processor"]["merge_size"] = 4
    else:
        settings[name] = 3
    file.write_text(json.dumps(settings))


@pytest.mark.parametrize("spoil", [spoil_template, spoil_count], ids=["no chat template", "another processor"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_does_not_belong_together_ends_in_one_line_before_training(base, tmp_path, family, spoil):
    folder = Path(shutil.copytree(base(family), tmp_path / "base"))
    spoil(folder)
    for state in (start("clue"), start("decision")):
        with pytest.raises(PolicyError, match=r"no chat template|tokens for an image|cannot read the processor") as caught:
            run_stage(tiny_job(folder, tmp_path, state, iterations=1))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("adapter", [{}, {"adapter": None}], ids=["adapter", "whole"])
def test_what_was_trained_is_not_continued_on_another_base(base, tmp_path, adapter):
    """Of the same shape: everything would fit, and mean nothing."""

    def job(folder, state, parent=None):
        made = tiny_job(folder, tmp_path, state, parent, iterations=1)
        return replace(made, policy=made.policy.model_copy(update=adapter))

    trained = run_clue_stage(job(base("qwen2_5_vl"), start("clue")))
    other = write_family("qwen2_5_vl", tmp_path / "other", seed=1)
    with pytest.raises(PolicyError, match=r"was trained on .*, and the weights of .* are others"):
        run_clue_stage(job(other, trained.state, trained.policy))
