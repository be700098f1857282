"""The formulas of memory against what a tiny model really has and really keeps, in every family and precision."""

from copy import deepcopy
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch
from peft import get_peft_model
from transformers import AutoModelForImageTextToText
from trl.trainer.utils import add_fused_lm_head

from tests.make import scene_pairs
from tests.policy.families import FAMILIES, write_family
from tests.policy.shapes import PARAMETERS, config_of
from vision_zero.config.policy import AdapterConfig, PolicyConfig
from vision_zero.policy.adapter_io import new_adapter
from vision_zero.policy.chats import user_message
from vision_zero.policy.compiled_decoding import CompiledDecoder
from vision_zero.policy.decoding import Decoder, RoomyLayer, decode
from vision_zero.policy.loading import load_base
from vision_zero.policy.memory_estimate import Shape, Work, kept_by_layer, playing, static, update
from vision_zero.policy.policy import Policy
from vision_zero.training.microbatches import passes
from vision_zero.training.shared_prefix import share_prefix

pytestmark = pytest.mark.slow

REPLY = 24
"""Tokens of a reply, where there are any."""
SIDES = ("language", "vision", "both")
families = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The folder of a family's tiny policy, made once."""
    return cache(lambda family: write_family(family, tmp_path_factory.mktemp("memory") / family))


def settings(folder, *, whole=False, **given):
    adapter = {"adapter": None} if whole else {"adapter": AdapterConfig(rank=4)}
    return PolicyConfig(base=str(folder), **adapter, **given)


def trainable(policy):
    """The base with its adapter, or unfrozen, as training begins; and its processor."""
    model, processor = load_base(policy)
    config = new_adapter(model, policy)
    return (model if config is None else get_peft_model(model, config)).train(), processor


def work(policy, inputs, *, is_mixed=False, is_checkpointed=False):
    """What training on these inputs is: prompts without replies, so that all of their tokens are counted once."""
    rows, tokens = inputs["input_ids"].shape
    return Work(
        prompt=tokens,
        image=0,
        reply=0,
        rows=rows,
        batch=rows,
        prompts=rows,
        replies=0,
        weight_bytes=2 if policy.dtype == "bfloat16" else 4,
        is_mixed=is_mixed,
        is_checkpointed=is_checkpointed,
        has_reference=True,
        plays_merged=False,
        processes=1,
    )


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_released_models_are_those_that_the_hub_counts(name):
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config_of(name), dtype=torch.bfloat16)
    shape = Shape.of(model, PolicyConfig(base=name))
    assert shape.parameters == PARAMETERS[name]
    assert all(parameter.is_meta for parameter in model.parameters())


@families
@pytest.mark.parametrize("train_on", SIDES)
@pytest.mark.parametrize("whole", [False, True], ids=["adapter", "whole"])
def test_parameters_are_those_that_are_there_and_learn(base, family, train_on, whole):
    policy = settings(base(family), whole=whole, train_on=train_on)
    model, _ = trainable(policy)
    with torch.device("meta"):
        shape = Shape.of(AutoModelForImageTextToText.from_config(model.config), policy)
    learning = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    everything = sum(parameter.numel() for parameter in model.parameters())
    assert shape.trained == learning
    assert shape.parameters == everything - (0 if whole else learning)


@pytest.mark.parametrize(("whole", "dtype"), [(False, "float32"), (False, "bfloat16"), (True, "float32")])
def test_what_stays_is_what_is_really_allocated(base, whole, dtype):
    policy = settings(base("qwen2_5_vl"), whole=whole, dtype=dtype)
    model, processor = trainable(policy)
    shape = Shape.of(load_base(policy)[0], policy)
    inputs = encoded(model, processor)
    estimate = static(shape, work(policy, inputs))
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning)
    model(**inputs).logits.float().sum().backward()
    optimizer.step()
    moments = [value for state in optimizer.state.values() for name, value in state.items() if name != "step"]
    assert estimate["weights"] + estimate["adapter"] == size(model.parameters())
    assert estimate["gradients"] == size(parameter.grad for parameter in learning)
    assert estimate["optimiser"] == size(moments)
    assert estimate["reference"] == (size(model.parameters()) if whole else 0)


@pytest.mark.parametrize("train_on", SIDES)
def test_what_frozen_eyes_remember(base, train_on):
    policy = settings(base("qwen2_5_vl"), train_on=train_on)
    model, processor = load_base(policy)
    inputs = encoded(model, processor)
    model(**inputs)
    images = int((inputs["input_ids"] == model.config.image_token_id).sum()) // len(inputs["input_ids"])
    asked = replace(work(policy, inputs), image=images, replies=len(inputs["input_ids"]))
    estimate = static(Shape.of(model, policy), asked)["cached image features"]
    assert estimate == (model.model.get_image_features._used if train_on == "language" else 0)


def encoded(model, processor, lengths=(5, 40, 25)):
    """Prompts of several lengths, so that some are padded and there is a mask."""
    pairs = scene_pairs(len(lengths))
    asked = [user_message("word " * length, pair.original) for length, pair in zip(lengths, pairs, strict=True)]
    return Policy(model, processor, PolicyConfig().sampling).encode(asked)


def size(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def kept(model, inputs, *, is_mixed=False):
    """Bytes that autograd keeps of a forward pass, beside the parameters themselves."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    found = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = (storage.nbytes(), tensor)  # held, so that no address is used twice
        return tensor

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=is_mixed),
    ):
        out = inner.model(**inputs)
    assert out[0].requires_grad
    return sum(number for number, _ in found.values())


def kept_with_shared_prompts(model, prompts, replies):
    """The same of a pass over a group of replies to each prompt, which is read once."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    add_fused_lm_head(inner, outputs=("log_probs", "entropy"))
    share_prefix(inner)
    rows = torch.arange(len(prompts["input_ids"])).repeat_interleave(len(replies) // len(prompts["input_ids"]))
    own = passes([replies.shape[1]] * len(replies))
    asked = {"prompts": prompts, "rows": rows, "replies": replies, "mask": torch.ones_like(replies), "passes": own}
    return kept(SimpleNamespace(parameters=model.parameters, model=lambda: inner(shared=asked)), {})


def grown(config, layers, *, is_vision):
    """The same model with that many layers on that side."""
    part = config.vision_config if is_vision else config.text_config
    setattr(part, "depth" if hasattr(part, "depth") else "num_hidden_layers", layers)
    if getattr(part, "layer_types", None):
        part.layer_types = [part.layer_types[0]] * layers
    return config


KINDS = {
    "adapter, bfloat16, mixed": (False, "bfloat16", True),
    "adapter, bfloat16": (False, "bfloat16", False),
    "adapter, float32": (False, "float32", False),
    "adapter, float32, mixed": (False, "float32", True),
    "whole": (True, "float32", False),
    "whole, mixed": (True, "float32", True),
}


def kept_by_a_third_layer(folder, kind, *, is_vision, group=0):
    """What is really kept because of a third layer, and what the formula says; with a group of replies to each prompt or none."""
    whole, dtype, is_mixed = KINDS[kind]
    policy = settings(folder, whole=whole, dtype=dtype, train_on="vision" if is_vision else "language")
    base, processor = load_base(policy)
    found = []
    for layers in (2, 3):
        config = grown(deepcopy(base.config), layers, is_vision=is_vision)
        model = AutoModelForImageTextToText.from_config(config, dtype=getattr(torch, dtype))
        shape = Shape.of(model, policy)
        adapter = new_adapter(model, policy)
        model = model if adapter is None else get_peft_model(model, adapter)
        inputs = encoded(model, processor)
        replies = inputs["input_ids"][:, -REPLY:].repeat_interleave(group, dim=0)
        really = (
            kept_with_shared_prompts(model.train(), inputs, replies) if group else kept(model.train(), inputs, is_mixed=is_mixed)
        )
        found.append((really, shape))
    doing = replace(work(policy, inputs, is_mixed=is_mixed), image=image_tokens(model, inputs))
    if group:
        doing = replace(doing, rows=group * doing.rows, group=group, reply=REPLY)
    (less, two), (more, three) = found
    return more - less, update(three, doing)["activations"] - update(two, doing)["activations"]


def image_tokens(model, inputs):
    """Of one prompt; the images of these tests are of one size."""
    return int((inputs["input_ids"] == model.config.image_token_id).sum()) // len(inputs["input_ids"])


@families
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_of_the_decoder_keeps_exactly_what_the_formula_says(base, family, kind):
    really, formula = kept_by_a_third_layer(base(family), kind, is_vision=False)
    assert really == pytest.approx(formula, rel=0.01)


@families
def test_a_layer_keeps_keys_and_values_of_a_shared_prompt_for_each_reply(base, family):
    """All but for the mask, which the formula counts as if each token of a prompt saw a reply, too."""
    really, formula = kept_by_a_third_layer(base(family), "adapter, float32", is_vision=False, group=4)
    assert really == pytest.approx(formula, rel=0.05)


@families
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_of_the_vision_side_keeps_about_what_the_formula_says(base, family, kind):
    """Its blocks differ more from family to family than those of decoders do; one formula serves all of them."""
    really, formula = kept_by_a_third_layer(base(family), kind, is_vision=True)
    assert really == pytest.approx(formula, rel=0.33)


@families
@pytest.mark.parametrize("kind", ["adapter, bfloat16, mixed", "whole, mixed"])
def test_all_that_is_kept_is_near_the_estimate(base, family, kind):
    """With both sides learning; of these tiny models what lies between and behind the layers is a large part."""
    whole, dtype, is_mixed = KINDS[kind]
    policy = settings(base(family), whole=whole, dtype=dtype, train_on="both")
    model, processor = trainable(policy)
    shape = Shape.of(load_base(policy)[0], policy)
    inputs = encoded(model, processor)
    doing = replace(work(policy, inputs, is_mixed=is_mixed), image=image_tokens(model, inputs))
    assert 0.95 < kept(model, inputs, is_mixed=is_mixed) / update(shape, doing)["activations"] < 1.2


def highest(run):
    """Bytes that were allocated at once while it ran."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    now = most = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return most


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["qwen2_5_vl", "idefics3"])
def test_what_is_allocated_at_once_is_near_the_estimate(base, family, kind):
    """Of a forward and backward pass, and of reading prompts: kept tensors, and those that live for a moment only."""
    whole, dtype, is_mixed = KINDS[kind]
    policy = settings(base(family), whole=whole, dtype=dtype)
    model, processor = trainable(policy)
    inputs = encoded(model, processor, lengths=(100, 200, 180))
    shape = Shape.of(load_base(policy)[0], policy)
    doing = replace(work(policy, inputs, is_mixed=is_mixed), image=image_tokens(model, inputs))
    inner = model if whole else model.get_base_model()
    mixed = torch.autocast("cpu", torch.bfloat16, enabled=is_mixed)

    def train():
        with mixed:
            out = inner.model(**inputs).last_hidden_state
        out.float().sum().backward()

    def read():
        with torch.inference_mode(), mixed:
            inner.eval()(**inputs, use_cache=True, logits_to_keep=1)

    training, reading = update(shape, doing), playing(shape, doing)
    trained = training["activations"] + training["one layer at work"] + 4 * shape.trained
    assert 0.9 < highest(train) / trained < 1.2
    assert 0.75 < highest(read) / (reading["keys and values of prompts"] + reading["reading prompts"]) < 1.25


@families
def test_checkpointing_keeps_the_inputs_of_layers_alone(base, family):
    policy = settings(base(family))
    model, processor = trainable(policy)
    inputs = encoded(model, processor)
    plain = kept(model, inputs)
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable()
    checkpointed = kept(model, inputs)
    shape = Shape.of(load_base(policy)[0], policy)
    tokens = inputs["input_ids"].numel()
    layer = kept_by_layer(shape, work(policy, inputs), shape.language) * tokens
    assert update(shape, work(policy, inputs, is_checkpointed=True))["activations"] == 2 * tokens * 32 * 4 + layer
    assert checkpointed < plain / 2
    assert 2 * tokens * 32 * 4 <= checkpointed


@families
@pytest.mark.parametrize("is_mixed", [False, True], ids=["whole", "mixed"])
def test_keys_and_values_are_as_large_as_the_caches_really_are(base, family, is_mixed, monkeypatch):
    made = []
    settle = RoomyLayer._settle
    monkeypatch.setattr(RoomyLayer, "_settle", lambda self, *told: made.append((told[0], settle(self, *told), self)))
    policy = settings(base(family))
    model, processor = load_base(policy)
    inputs = encoded(model, processor)
    rows = len(inputs["input_ids"])
    with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
        decode(Decoder(model), inputs, list(range(rows)) * 2, choose=lambda logits: logits.argmax(-1), max_tokens=7, ends=[-1])
    roomy = sum(size([layer._all_keys, layer._all_values]) for _, _, layer in made)
    read = sum(2 * size([keys]) for keys, _, _ in made)
    doing = replace(work(policy, inputs, is_mixed=is_mixed), reply=7, batch=2 * rows, prompts=rows)
    estimate = playing(Shape.of(model, policy), doing)
    assert (estimate["keys and values of prompts"], estimate["keys and values of replies"]) == (read, roomy)


def test_more_rows_checkpointing_and_processes_move_it_the_right_way(base):
    policy = settings(base("qwen2_5_vl"))
    model, processor = load_base(policy)
    shape, one = Shape.of(model, policy), work(policy, encoded(model, processor))
    assert sum(update(shape, replace(one, rows=2 * one.rows)).values()) == 2 * sum(update(shape, one).values())
    assert static(shape, replace(one, processes=2))["gradients"] == 2 * static(shape, one)["gradients"]
    assert new_adapter(model, policy).r == shape.rank


def test_each_of_several_holds_its_share_and_plays_with_a_whole_copy(base):
    policy = settings(base("qwen2_5_vl"), whole=True)
    model, processor = load_base(policy)
    shape, one = Shape.of(model, policy), replace(work(policy, encoded(model, processor)), has_reference=True)
    alone, shared = static(shape, one), static(shape, replace(one, processes=4, is_sharded=True))
    for kind in ("weights", "reference", "gradients", "optimiser"):
        assert alone[kind] == 4 * shared[kind] > 0
    assert shared["full copy that plays"] == alone["weights"] and not alone["full copy that plays"]
    layers = sum(p.numel() for name, p in model.named_parameters() if ".layers." in name or ".blocks." in name)
    outside = sum(p.numel() for p in model.parameters()) - layers
    gathered = update(shape, replace(one, processes=4, is_sharded=True))["gathered layers"]
    assert gathered >= 2 * 4 * (outside + 2 * shape.language.linear)


def test_slots_of_a_compiled_step_are_as_large_as_they_really_are(base):
    policy = settings(base("qwen2_5_vl"))
    model, processor = load_base(policy)
    inputs, decoder = encoded(model, processor), CompiledDecoder(model, backend="eager")
    decode(decoder, inputs, [0, 1, 2], choose=lambda logits: logits.argmax(-1), max_tokens=7, ends=[-1])
    doing = replace(work(policy, inputs), reply=7, batch=3, is_compiled=True)
    estimate = static(Shape.of(model, policy), doing)["slots of a compiled step"]
    assert estimate == sum(size(layer._all) for layer in decoder._slots)
    assert playing(Shape.of(model, policy), doing)["keys and values of replies"] == 0
