"""Replies are those of ``generate``, for every family of models; prompts are read once, and replies that ended cost nothing."""

import pytest
import torch
from transformers import GenerationConfig

from tests.policy.families import FAMILIES, build_family
from vision_zero.policy.decoding import decode

ORDINARY = (20, 80)
"""Tokens that are words in every family: no picture, no end."""


@pytest.fixture(scope="module", params=FAMILIES)
def model(request):
    return build_family(request.param).eval()


@pytest.fixture
def end(model):
    return model.generation_config.eos_token_id


def prompts(*lengths):
    """Left-padded prompts of those lengths."""
    width = max(lengths)
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(*ORDINARY, (len(lengths), width), generator=random)
    mask = torch.tensor([[0] * (width - length) + [1] * length for length in lengths])
    return {"input_ids": ids * mask, "attention_mask": mask}


def generated(model, inputs, tokens):
    end, pad = model.generation_config.eos_token_id, model.generation_config.pad_token_id
    config = GenerationConfig(max_new_tokens=tokens, do_sample=False, eos_token_id=end, pad_token_id=pad)
    replies = model.generate(**inputs, generation_config=config)[:, inputs["input_ids"].shape[1] :].tolist()
    return [reply[: reply.index(end) + 1] if end in reply else reply for reply in replies]


def likeliest(logits):
    return logits.argmax(-1)


def test_greedy_replies_are_those_of_generate(model, end):
    inputs = prompts(9, 4, 7, 1, 6, 2, 8, 3)
    said = decode(model, inputs, range(8), choose=likeliest, max_tokens=24, ends=[end])
    assert said == generated(model, inputs, 24)


def test_a_prompt_is_read_once_for_all_its_replies(model, end):
    inputs = prompts(5, 8)
    read = []
    hook = model.register_forward_pre_hook(lambda module, args, kwargs: read.append(kwargs["input_ids"].shape), with_kwargs=True)
    said = decode(model, inputs, [1, 0, 1, 1], choose=likeliest, max_tokens=6, ends=[end])
    hook.remove()
    one, other = generated(model, inputs, 6)
    assert said == [other, one, other, other]
    assert read[0] == (2, 8)


def test_a_reply_that_has_ended_leaves_the_batch(model, end):
    rows = []
    hook = model.register_forward_pre_hook(lambda module, args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True)

    def half_of_them_end(logits):
        tokens = torch.full((len(logits),), 25)
        tokens[: len(logits) // 2] = end
        return tokens

    said = decode(model, prompts(4), [0] * 8, choose=half_of_them_end, max_tokens=5, ends=[end])
    hook.remove()
    assert said == [[end]] * 4 + [[25, end]] * 2 + [[25, 25, end], [25] * 5]
    assert rows == [1, 4, 2, 1, 1]


def test_a_reply_is_cut_off_at_the_limit(model, end):
    said = decode(model, prompts(3), [0], choose=lambda logits: torch.tensor([27]), max_tokens=5, ends=[end])
    assert said == [[27] * 5]
