"""Replies are those of ``generate``, for every family of models; prompts are read once, and replies that ended cost nothing.

The same of compiled steps, with torch's tracing but without a compiler: that it compiles is seen by hand, and takes a minute.
"""

import pytest
import torch
from transformers import GenerationConfig

from tests.policy.families import FAMILIES, build_family
from vision_zero.errors import PolicyError
from vision_zero.policy.compiled_decoding import CompiledDecoder, Slots
from vision_zero.policy.decoding import Decoder, decode

pytestmark = pytest.mark.slow

ORDINARY = (20, 80)
"""Tokens that are words in every family: no image, no end."""


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
    said = decode(Decoder(model), inputs, range(8), choose=likeliest, max_tokens=24, ends=[end])
    assert said == generated(model, inputs, 24)


def test_a_prompt_is_read_once_for_all_its_replies(model, end):
    inputs = prompts(5, 8)
    read = []
    hook = model.register_forward_pre_hook(lambda module, args, kwargs: read.append(kwargs["input_ids"].shape), with_kwargs=True)
    said = decode(Decoder(model), inputs, [1, 0, 1, 1], choose=likeliest, max_tokens=6, ends=[end])
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

    said = decode(Decoder(model), prompts(4), [0] * 8, choose=half_of_them_end, max_tokens=5, ends=[end])
    hook.remove()
    assert said == [[end]] * 4 + [[25, end]] * 2 + [[25, 25, end], [25] * 5]
    assert rows == [1, 4, 2, 1, 1]


def test_a_reply_is_cut_off_at_the_limit(model, end):
    said = decode(Decoder(model), prompts(3), [0], choose=lambda logits: torch.tensor([27]), max_tokens=5, ends=[end])
    assert said == [[27] * 5]


@pytest.fixture
def compiled(model):
    return CompiledDecoder(model, backend="eager")


def test_compiled_steps_say_what_generate_says(model, end, compiled):
    longer, other = prompts(9, 4, 7, 1, 6, 2, 8, 3, 5, 9, 2), prompts(5, 8)
    assert decode(compiled, longer, range(11), choose=likeliest, max_tokens=24, ends=[end]) == generated(model, longer, 24)
    one, two = generated(model, other, 6)  # in slots that still hold what was said before
    assert decode(compiled, other, [1, 0, 1], choose=likeliest, max_tokens=6, ends=[end]) == [two, one, two]


def test_compiled_rows_are_halved_when_half_of_them_have_ended(model, end, compiled):
    rows, step = [], compiled.step
    compiled.step = lambda ids, *told: rows.append(len(ids)) or step(ids, *told)
    said = decode(compiled, prompts(4), [0] * 6, choose=ending(end, [0, 1], [0], [1, 2]), max_tokens=5, ends=[end])
    assert said == [[end]] * 2 + [[25, end]] + [[25, 25, end]] * 2 + [[25] * 5]
    assert rows == [4, 4, 1, 1]


def ending(end, *rows):
    """At each token these rows end; idle ones say something, too, and nobody listens."""
    left = list(rows)

    def choose(logits):
        tokens = torch.full((len(logits),), 25)
        tokens[left.pop(0) if left else []] = end
        return tokens

    return choose


def test_keys_and_values_of_compiled_steps_stay_where_they_are(model, end, compiled):
    decode(compiled, prompts(4, 6, 5, 2), range(4), choose=likeliest, max_tokens=8, ends=[end])
    places = [layer._all[0].data_ptr() for layer in compiled._slots]
    for lengths in ((7,), (2, 3, 9)):
        decode(compiled, prompts(*lengths), range(len(lengths)), choose=likeliest, max_tokens=8, ends=[end])
        assert [layer.keys.data_ptr() for layer in compiled._slots] == places
    assert all(isinstance(layer, Slots) and layer._all[0].shape[:3:2] == (4, 256) for layer in compiled._slots)
    long = prompts(300)
    assert decode(compiled, long, [0], choose=likeliest, max_tokens=8, ends=[end]) == generated(model, long, 8)
    assert compiled._size == (4, 512)


def test_a_machine_without_a_compiler_is_one_line(model, end):
    def no_compiler(graph, inputs):
        raise RuntimeError("no g++")

    decoder = CompiledDecoder(model, backend=no_compiler)
    with pytest.raises(
        PolicyError, match=r"policy.compiled: a step could not be compiled .*no g\+\+.*: install a C\+\+ compiler"
    ):
        decode(decoder, prompts(3), [0], choose=likeliest, max_tokens=4, ends=[end])
