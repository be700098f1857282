"""Replies are those of ``generate``, for every family of models; prompts are read once, and replies that ended cost nothing."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig

from vision_zero.policy.decoding import decode

END, PAD = 3, 0
TEXT = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "pad_token_id": PAD,
    "bos_token_id": 1,
    "eos_token_id": END,
}
MROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [1, 1, 2]}}
FAMILIES = {
    "qwen2_5_vl": {"text_config": {**TEXT, **MROPE}},
    "qwen3_vl": {"text_config": {**TEXT, **MROPE}},
    "internvl": {"text_config": {"model_type": "qwen2", **TEXT}},
    "idefics3": {"text_config": {"model_type": "llama", **TEXT}},
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "depth": 1,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_heads": 2,
}


@pytest.fixture(scope="module", params=FAMILIES)
def model(request):
    config = AutoConfig.for_model(request.param, vision_config=VISION, **FAMILIES[request.param])
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # decided enough that rounding turns no choice
    return model


def prompts(*lengths):
    """Left-padded prompts of those lengths."""
    width = max(lengths)
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(4, 50, (len(lengths), width), generator=random)
    mask = torch.tensor([[0] * (width - length) + [1] * length for length in lengths])
    return {"input_ids": ids * mask, "attention_mask": mask}


def generated(model, inputs, tokens):
    config = GenerationConfig(max_new_tokens=tokens, do_sample=False, eos_token_id=END, pad_token_id=PAD)
    replies = model.generate(**inputs, generation_config=config)[:, inputs["input_ids"].shape[1] :].tolist()
    return [reply[: reply.index(END) + 1] if END in reply else reply for reply in replies]


def likeliest(logits):
    return logits.argmax(-1)


def test_greedy_replies_are_those_of_generate(model):
    inputs = prompts(9, 4, 7, 1, 6, 2, 8, 3)
    said = decode(model, inputs, range(8), choose=likeliest, max_tokens=24, ends=[END])
    assert said == generated(model, inputs, 24)


def test_a_prompt_is_read_once_for_all_its_replies(model):
    inputs = prompts(5, 8)
    read = []
    hook = model.register_forward_pre_hook(lambda module, args, kwargs: read.append(kwargs["input_ids"].shape), with_kwargs=True)
    said = decode(model, inputs, [1, 0, 1, 1], choose=likeliest, max_tokens=6, ends=[END])
    hook.remove()
    one, other = generated(model, inputs, 6)
    assert said == [other, one, other, other]
    assert read[0] == (2, 8)


def test_a_reply_that_has_ended_leaves_the_batch(model):
    rows = []
    hook = model.register_forward_pre_hook(lambda module, args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True)

    def half_of_them_end(logits):
        tokens = torch.full((len(logits),), 5)
        tokens[: len(logits) // 2] = END
        return tokens

    said = decode(model, prompts(4), [0] * 8, choose=half_of_them_end, max_tokens=5, ends=[END])
    hook.remove()
    assert said == [[END]] * 4 + [[5, END]] * 2 + [[5, 5, END], [5] * 5]
    assert rows == [1, 4, 2, 1, 1]


def test_a_reply_is_cut_off_at_the_limit(model):
    said = decode(model, prompts(3), [0], choose=lambda logits: torch.tensor([7]), max_tokens=5, ends=[END])
    assert said == [[7] * 5]
