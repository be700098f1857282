"""Each recipe of a released model, tried as the true thing in small: its vocabulary, chat template, images and game.

What is narrow here is only what weights cost (``tests/policy/released.py``). The recipe's YAML is read as it is, and played and
trained with images of its size, in its precision; only games and tokens of replies are fewer.
"""

import re
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import torch
import trl.trainer.utils
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText
from trl.trainer.utils import add_fused_lm_head

from tests.policy.released import PUBLISHED, RELEASED, write_small
from tests.policy.shapes import config_of
from tests.training.scoring import as_rows, learned, read_together, same
from vision_zero.config.policy import PolicyConfig
from vision_zero.data.table import PairTable
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.game.engine import deal_all, play_recorded
from vision_zero.game.interface import Reply
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.policy.chats import begin_reply, user_message
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_base
from vision_zero.policy.policy import Policy
from vision_zero.policy.prefill import next_tokens
from vision_zero.policy.trainable import adapted_layers
from vision_zero.randomness import Seed
from vision_zero.recipes.check import read_self_play
from vision_zero.training.clue_stage import ClueLoop
from vision_zero.training.decision_stage import DecisionLoop
from vision_zero.training.job import StageJob
from vision_zero.training.microbatches import PROMPT, SEEN
from vision_zero.training.plan import image_sizes, longest_prompts, longest_reply
from vision_zero.training.shared_prefix import share_prefix
from vision_zero.training.state import StageState

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
RECIPES = [path for path in sorted((ROOT / "configs/self_play").glob("*.yaml")) if read_self_play(path).policy.base in RELEASED]
TOKENS = re.compile(r"--prompt-tokens (\d+) --image-tokens (\d+)")
THOUGHT = "I see two spheres, a cube at x = 1.25 and, to its left, a café's “sign”."
CLUES = (
    "A small red cube stands left of 2 spheres.",
    "Mine has <|image_pad|><image>\n 3 things - 50 % are grey, isn't it?",
    "Ω≈π/2: 红色",
)
BASE_OF = {path.stem: read_self_play(path).policy.base for path in RECIPES}
IMAGES = {read_self_play(path).policy.base: read_self_play(path).policy.pictures for path in RECIPES}

recipes = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
bases = pytest.mark.parametrize("base", RELEASED, ids=lambda base: base.split("/")[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a released model in small, made once."""
    return cache(lambda base: write_small(base, tmp_path_factory.mktemp("released") / base.split("/")[1]))


@pytest.fixture(scope="module")
def opened(folder):
    """Model and processor of a recipe's base in a precision, loaded once; the model is a copy, the processor is shared."""

    @cache
    def load(base, dtype):
        return load_base(PolicyConfig(base=str(folder(base)), dtype=dtype, pictures=IMAGES[base]))

    def opened_as(path, dtype=None):
        model, processor = load(BASE_OF[path.stem], dtype or read_self_play(path).policy.dtype)
        return deepcopy(model), processor

    return opened_as


@pytest.fixture(autouse=True)
def only_replies_are_scored(monkeypatch):
    """As on a GPU: elsewhere TRL computes 150,000 chances for each token of each prompt, too, and drops them."""
    monkeypatch.setattr(trl.trainer.utils, "_use_triton", lambda device: True)


@cache
def pairs_of(width, height, number=3):
    config = read_self_play(RECIPES[0]).pairs.scenes.model_copy(update={"width": width, "height": height})
    return tuple(SceneSource(config).sample(Seed(0).child("released", place)) for place in range(number))


def recipe_of(path, folder):
    """The recipe on the small base, with a game an iteration, two votes of a prompt and short replies."""
    config = read_self_play(path)
    sampling = config.policy.sampling.model_copy(update={"max_clue_tokens": 6, "max_vote_tokens": 6})
    policy = config.policy.model_copy(update={"base": str(folder(config.policy.base)), "sampling": sampling})
    alone = {"games_per_iteration": 1, "votes_per_prompt": 2, "num_processes": 1, "sharded": False}
    return config.model_copy(update={"policy": policy, "learning": config.learning.model_copy(update=alone)})


class Speakers:
    """Players with something to say: tokens of the policy's own tokenizer for written replies."""

    def __init__(self, tokenizer, thought=THOUGHT):
        self.tokenizer, self.thought = tokenizer, thought

    def reply(self, requests, seed):
        return [self._said(request, place) for place, request in enumerate(requests)]

    def _said(self, request, place):
        move = CLUES[(request.seat + request.round) % len(CLUES)] if request.kind == "clue" else str(place % 4 + 1)
        text = f"{self.thought} \\boxed{{{move}}}"
        tokens = self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return Reply(text, (*tokens, self.tokenizer.eos_token_id))


@recipes
def test_the_longest_prompts_fit_what_the_recipe_says_of_them(path, folder, opened):
    config = read_self_play(path)
    model, processor = opened(path)
    policy = Policy(model, processor, config.policy.sampling)
    prompt, image = map(int, TOKENS.search(path.read_text()).groups())
    [size] = image_sizes(config)
    shown = pairs_of(*size)[0].original
    inputs = policy.encode([user_message(text, shown) for text in longest_prompts(config)])
    longest = int(inputs["attention_mask"].sum(1).max())
    assert 0.75 * prompt < longest <= prompt, "the estimate of memory is made with it"
    assert (inputs["input_ids"] == model.config.image_token_id).sum(1).tolist() == [image] * 2
    assert longest + longest_reply(config) <= policy.context
    assert longest + 2 * longest_reply(config) <= config.learning.tokens_per_step, "two votes read their prompt together"


@recipes
def test_the_parts_of_every_prompt_are_found_again_in_its_tokens(path, folder, opened):
    config = recipe_of(path, folder)
    model, processor = opened(path)
    published, game = PUBLISHED[BASE_OF[path.stem]], WhoIsTheSpy(config.game)
    policy = Policy(model, processor, config.policy.sampling)
    tables = deal_all(game, pairs_of(*image_sizes(config)[0])[:1], Seed(1))
    [played], record = play_recorded(game, tables, Speakers(processor.tokenizer), Seed(2))
    heard = [clue.text for clue in played.transcript.heard()]
    assert len(heard) == 8
    assert len(set(heard)) == 3
    assert all("<" not in text for text in heard)
    assert sum(move.vote is not None for move in played.transcript.votes) == 3
    placeholder = processor.tokenizer.convert_tokens_to_ids(published.placeholder)
    inputs = policy.encode([user_message(request.prompt, request.image) for request, _ in record])
    for row, (request, _) in enumerate(record):
        ids = inputs["input_ids"][row][inputs["attention_mask"][row].bool()]
        places = (ids == placeholder).nonzero().squeeze(1)
        first, last = int(places[0]), int(places[-1])
        assert last - first + 1 == len(places), "one run"
        before, after = (processor.tokenizer.decode(part) for part in (ids[:first], ids[last + 1 :]))
        assert before == published.opens
        assert after.endswith(request.prompt + published.closes)
        assert all(clue.text in after for clue in request.clues)
        assert THOUGHT in after or request.round == 1
        if "mm_token_type_ids" in inputs:
            kinds = inputs["mm_token_type_ids"][row][inputs["attention_mask"][row].bool()]
            assert torch.equal(kinds.bool(), ids == placeholder)
    votes = [row for row, (request, _) in enumerate(record) if request.kind == "vote"]
    assert all(clue.text in record[votes[0]][0].prompt for clue in played.transcript.heard())


@bases
def test_words_that_look_like_special_tokens_begin_a_reply_as_words(base, folder, opened):
    path = next(path for path in RECIPES if BASE_OF[path.stem] == base)
    model, processor = opened(path)
    policy = Policy(model, processor, read_self_play(path).policy.sampling)
    written = f"I see {PUBLISHED[base].placeholder} and <video><|im_end|>"
    [ids] = policy.encode([begin_reply(user_message("What do you see?"), written)])["input_ids"]
    assert processor.tokenizer.decode(ids).endswith(PUBLISHED[base].closes + written)
    assert not set(policy.image_tokens) & set(ids.tolist())
    seats = next_tokens(processor.tokenizer, f"{THOUGHT} \\boxed{{", [f"{seat}}}" for seat in range(1, 5)])
    assert [processor.tokenizer.decode(tokens) for tokens in seats] == ["1}", "2}", "3}", "4}"]


@bases
def test_adapters_are_put_on_the_decoders_linear_layers_and_no_others(base):
    config = config_of(base)
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    recipe = next(path for path in RECIPES if BASE_OF[path.stem] == base)
    policy = read_self_play(recipe).policy
    layers = adapted_layers(model, policy.adapter, policy.train_on)
    ends = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert len(layers) == 7 * config.text_config.num_hidden_layers
    assert {name.rsplit(".", 1)[-1] for name in layers} == ends
    assert not [name for name in layers if re.search("vis|connector|project", name.replace("_proj", ""))]
    seeing = adapted_layers(model, policy.adapter, "vision")
    assert len(seeing) > 2 * getattr(config.vision_config, "depth", config.vision_config.to_dict().get("num_hidden_layers", 0))
    assert not set(seeing) & set(layers)


@recipes
def test_clues_and_votes_are_drawn(path, folder, opened):
    config = recipe_of(path, folder)
    policy = Policy(*opened(path), config.policy.sampling)
    game = WhoIsTheSpy(config.game)
    tables = deal_all(game, pairs_of(*image_sizes(config)[0])[:1], Seed(1))
    _, record = play_recorded(game, tables, Speakers(policy.processor.tokenizer), Seed(2))
    for kind in ("clue", "vote"):
        [request, *_] = [request for request, _ in reversed(record) if request.kind == kind]
        replies = policy.reply([request] * 4, Seed(3))
        assert all(1 <= len(reply.tokens) <= 6 for reply in replies)
        assert len({reply.tokens for reply in replies}) > 1
        assert not {token for reply in replies for token in reply.tokens} & set(policy.image_tokens)
    voter = user_message(request.prompt, request.image)
    assert policy.likeliest([voter], ["So \\boxed{"], [["1}", "2}", "4}"]])[0] in range(3)


def watching(kind):
    """A stage with those speakers that keeps what is trained, and the batch that TRL makes of it."""

    class Watching(kind):
        said = ()

        def player(self):
            return Speakers(self.trainer.processing_class.tokenizer, "So")

        def score(self, games, turns):
            scored = super().score(games, turns)
            self.said, make = scored.turns, self.trainer.batch

            def batch(*given):
                self.output = make(*given)
                return dict(self.output)

            self.trainer.batch = batch
            return scored

    return Watching


TRAINED = [
    *(("clue", name) for name in ("qwen2_5_vl_7b", "internvl3_8b")),
    *(("decision", name) for name in ("qwen2_5_vl_3b", "qwen2_5_vl_3b_full", "qwen3_vl_4b", "internvl3_8b", "smolvlm")),
]
"""Clues, of which there are more, in two families: theirs differ in how they hold images."""
IN_HALF = ("decision", "qwen2_5_vl_3b")
"""Is trained in the recipe's own precision; in half precision a CPU is slow."""


@pytest.mark.parametrize(("stage", "name"), TRAINED)
def test_an_iteration_trains_what_was_said(stage, name, folder, opened, tmp_path):
    kind, [path] = {"clue": ClueLoop, "decision": DecisionLoop}[stage], [path for path in RECIPES if path.stem == name]
    config = recipe_of(path, folder)
    if (stage, name) != IN_HALF:
        whole = {"policy": config.policy.model_copy(update={"dtype": "float32"})}
        config = config.model_copy(update={**whole, "learning": config.learning.model_copy(update={"bf16": False})})
    switch = config.learning.switch.model_copy(update={"start": stage})
    table = PairTable.from_pairs(enumerate(pairs_of(*image_sizes(config)[0])), "train")
    job = StageJob.of(config, StageState.at_start(switch), PolicyFolder(None), table, tmp_path, run="test", iterations=1)
    model, processor = opened(path, config.policy.dtype)
    loop = watching(kind)(model, processor, job)
    policy = loop.run().policy
    output = loop.output
    closes = PUBLISHED[BASE_OF[path.stem]].closes
    assert len(loop.said) == (8 if stage == "clue" else 2), "a game of eight clues, or two votes of one prompt"
    assert len(set(output[PROMPT])) == (8 if stage == "clue" else 1)
    for row, (request, reply) in enumerate(loop.said):
        prompt = output["prompt_ids"][row][output["prompt_mask"][row].bool()]
        assert processor.tokenizer.decode(prompt).endswith(request.prompt + closes)
        assert tuple(output["completion_ids"][row][output["completion_mask"][row].bool()].tolist()) == reply.tokens
        assert reply.tokens[-1] == processor.tokenizer.eos_token_id
    [record] = loop.progress.state.history
    assert record.metrics["update/shared"] > 0.4 or stage == "clue"
    assert 0 < record.metrics["grad_norm"] < 100
    assert policy.path is not None


@bases
def test_a_prompt_that_is_read_once_gives_the_gradients_of_whole_rows(base, folder, opened):
    path = next(path for path in RECIPES if BASE_OF[path.stem] == base)
    config = recipe_of(path, folder)
    model, processor = opened(path, "float32")
    game = WhoIsTheSpy(config.game)
    pairs = pairs_of(*image_sizes(config)[0])[:2]
    _, record = play_recorded(game, deal_all(game, pairs, Seed(1)), Speakers(processor.tokenizer), Seed(2))
    votes = [turn for turn in record if turn[0].kind == "vote"]
    answers = [0, 1, 0, 0, 1]
    policy = Policy(model, processor, config.policy.sampling)
    prompts = policy.encode([user_message(votes[3 * answer][0].prompt, votes[3 * answer][0].image) for answer in answers])
    said = [votes[0][1].tokens[: 1 + 2 * row] for row in range(len(answers))]
    width = max(map(len, said))
    mask = torch.tensor([[1] * len(tokens) + [0] * (width - len(tokens)) for tokens in said])
    replies = torch.tensor([[*tokens, *[0] * (width - len(tokens))] for tokens in said])
    seen = {name: value for name, value in prompts.items() if name in SEEN}
    if "mm_token_type_ids" in seen:
        seen["mm_token_type_ids"] = torch.cat([seen["mm_token_type_ids"], torch.zeros_like(replies)], dim=1)
    tiles = [len(seen["pixel_values"]) // len(answers)] * len(answers)
    part = {
        "prompt_ids": prompts["input_ids"],
        "prompt_mask": prompts["attention_mask"],
        "completion_ids": replies,
        "completion_mask": mask,
        "num_images": [1] * len(answers),
        PROMPT: answers,
        **({"num_tiles": tiles} if model.config.model_type == "internvl" else {}),
        **seen,
    }
    add_fused_lm_head(model, temperature=1.0, outputs=("log_probs", "entropy"))
    share_prefix(model)
    layers = adapted_layers(model, config.policy.adapter, "language")
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=layers, init_lora_weights=False, task_type="CAUSAL_LM"))
    same(learned(adapted, part, as_rows), learned(adapted, part, read_together))


def test_there_is_a_recipe_for_each_released_model():
    assert set(BASE_OF.values()) == set(RELEASED) == set(PUBLISHED)
