"""Replies that are begun for the policy go on as if it had said the words itself, and a forced choice is the likeliest one."""

from dataclasses import replace

import pytest
import torch

from tests.make import scene_pairs
from tests.policy.families import FAMILIES, write_family
from vision_zero.config.policy import PolicyConfig, SamplingParams
from vision_zero.policy import compiled_decoding
from vision_zero.policy.chats import begin_reply, user_message
from vision_zero.policy.loading import load_policy
from vision_zero.policy.prefill import next_tokens, prefilled_inputs
from vision_zero.randomness import Seed

pytestmark = pytest.mark.slow

PAIRS = scene_pairs(2)
CHATS = [
    user_message(text, pair.original) for text, pair in zip(("Who is the spy?", "Player 2 of 4.\nYour clue?"), PAIRS, strict=True)
]
GREEDY = SamplingParams(1.0, 12)


@pytest.fixture(scope="module")
def nano():
    return replace(load_policy(PolicyConfig(), None), greedy=True)


@pytest.fixture(scope="module", params=FAMILIES)
def policy(request, tmp_path_factory):
    return load_policy(PolicyConfig(base=str(write_family(request.param, tmp_path_factory.mktemp(request.param)))), None)


def draw(policy, chats):
    return policy.sample(chats, GREEDY, Seed(0), ["chat"] * len(chats))


def test_rows_are_padded_on_the_left_again():
    inputs = {
        "input_ids": torch.tensor([[9, 5, 6], [4, 5, 6]]),
        "attention_mask": torch.tensor([[0, 1, 1], [1, 1, 1]]),
        "mm_token_type_ids": torch.tensor([[0, 1, 0], [1, 0, 0]]),
        "pixel_values": torch.ones(4, 2),
    }
    longer = prefilled_inputs(inputs, [[7, 8], []], padding=9)
    assert longer["input_ids"].tolist() == [[9, 5, 6, 7, 8], [9, 9, 4, 5, 6]]
    assert longer["attention_mask"].tolist() == [[0, 1, 1, 1, 1], [0, 0, 1, 1, 1]]
    assert longer["mm_token_type_ids"].tolist() == [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]]
    assert longer["pixel_values"] is inputs["pixel_values"]
    assert prefilled_inputs(inputs, [[], []], padding=9) is inputs


def test_a_reply_goes_on_as_the_policy_itself_would(nano):
    whole = draw(nano, CHATS)
    for number, (chat, reply) in enumerate(zip(CHATS, whole, strict=True)):
        words = nano.processor.tokenizer.decode(reply.tokens[:5])
        [again] = draw(nano, [begin_reply(chat, words)])
        assert again.tokens[: len(reply.tokens)] == reply.tokens, number
        assert again.text.startswith(reply.text.strip()[:10]) or again.text.startswith(words)


def test_every_family_reads_a_begun_reply_as_its_own_words(policy):
    """Beside a reply that begins freely, so that rows are padded."""
    begun = "I see: red."
    batch = [begin_reply(CHATS[0], begun), CHATS[1]]
    inputs = policy.encode(batch)
    alone = policy.encode(CHATS[:1])
    tokens = policy.processor.tokenizer.encode(begun, add_special_tokens=False)
    kept = inputs["attention_mask"][0].bool()
    assert inputs["input_ids"][0][kept].tolist() == [*alone["input_ids"][0].tolist(), *tokens]
    together, apart = draw(replace(policy, greedy=True), batch), draw(replace(policy, greedy=True), batch[:1])
    assert together[0].tokens == apart[0].tokens
    assert together[0].tokens[: len(tokens)] == tuple(tokens)


def test_every_reply_can_be_made_to_begin_with_the_same_words(nano):
    for reply in draw(replace(nano, reply_prefix="I see:"), CHATS):
        assert reply.text.startswith("I see:")


def test_a_forced_choice_is_the_likeliest_seat_by_the_models_own_probabilities(policy):
    begun = "1: no. \\boxed{"
    options = [["1}", "2}", "4}"], ["3}", "2}"]]
    chosen = policy.likeliest(CHATS, [begun, ""], options)
    for chat, words, allowed, found in zip(CHATS, (begun, ""), options, chosen, strict=True):
        inputs = policy.encode([begin_reply(chat, words)])
        with torch.inference_mode():
            logits = policy.model(**inputs).logits[0, -1].log_softmax(-1)
        first = [tokens[0] for tokens in next_tokens(policy.processor.tokenizer, words, allowed)]
        assert found == int(torch.stack([logits[token] for token in first]).argmax())


def test_chances_are_the_models_own_at_the_temperature(policy):
    begun, temperature = "1: no. \\boxed{", 0.7
    options = [["1}", "2}", "4}"], ["3}", "2}"]]
    found = policy.chances(CHATS, [begun, ""], options, temperature)
    for chat, words, allowed, shares in zip(CHATS, (begun, ""), options, found, strict=True):
        inputs = policy.encode([begin_reply(chat, words)])
        with torch.inference_mode():
            logits = policy.model(**inputs).logits[0, -1].float().clone()
            logits[policy.image_tokens] = -torch.inf
        drawn = (logits / temperature).softmax(-1)
        first = [tokens[0] for tokens in next_tokens(policy.processor.tokenizer, words, allowed)]
        assert shares == pytest.approx(drawn[first].tolist(), rel=1e-3)


def test_chances_of_numbers_that_begin_alike_are_products(nano):
    """And the likeliest of them is what a forced choice takes, where no token is shared."""
    text, options = "\\boxed{", [["1}", "10}", "12}"]]
    [shares] = nano.chances(CHATS[:1], [text], options, 1.0)
    [[one]] = nano.chances(CHATS[:1], [text], [["1"]], 1.0)
    [rest] = nano.chances(CHATS[:1], [text + "1"], [["}", "0}", "2}"]], 1.0)
    assert shares == pytest.approx([one * share for share in rest], rel=1e-3)
    assert sum(shares) <= one + 1e-6


def test_chances_after_a_compiled_step_are_the_same(nano, monkeypatch):
    """Its rows are padded to a power of two: three chats are read as four."""
    monkeypatch.setattr(compiled_decoding, "BACKEND", "eager")
    asked = ([*CHATS, CHATS[0]], ["\\boxed{", "1: no. \\boxed{", "x"], [["1}", "2}"]] * 3)
    compiled = replace(nano, compiled=True, decoders={})
    assert compiled.chances(*asked, 1.0) == nano.chances(*asked, 1.0)
    assert compiled.likeliest(*asked) == nano.likeliest(*asked)


def test_numbers_that_begin_alike_are_chosen_digit_by_digit(nano):
    options = [["1}", "10}", "12}"]]
    [found] = nano.likeliest(CHATS[:1], ["\\boxed{"], options)
    text = "\\boxed{1"
    ids = [tokens[0] for tokens in next_tokens(nano.processor.tokenizer, text, ["}", "0}", "2}"])]
    inputs = nano.encode([begin_reply(CHATS[0], text)])
    with torch.inference_mode():
        logits = nano.model(**inputs).logits[0, -1]
    assert found == int(logits[ids].argmax())


def test_the_choice_is_nanos_own_where_it_votes_for_a_seat(nano):
    """What it boxed greedily is what it would box if it had to box one of all."""
    prompt = "Player 1 of 4.\n1: a red cube.\n2: a large thing.\n3: no spheres.\n4: two purple spheres.\nWho is the spy?"
    [reply] = nano.complete([user_message(prompt, PAIRS[0].original)], 192, Seed(0))
    reasoning, _, boxed = reply.text.rpartition("\\boxed{")
    every = ["1}", "2}", "3}", "4}", "N/A}"]
    assert every[nano.likeliest([user_message(prompt, PAIRS[0].original)], [reasoning + "\\boxed{"], [every])[0]] == boxed
