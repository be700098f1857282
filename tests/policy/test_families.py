"""Every family of models: its processor makes the stock class's inputs without torchvision, and what does not fit is one line."""

import json
import shutil
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from transformers import (
    AutoImageProcessor,
    AutoTokenizer,
    ProcessorMixin,
)
from transformers.models.auto import image_processing_auto
from transformers.models.smolvlm import processing_smolvlm

from tests.make import scene_pairs
from tests.policy.families import CONTEXT, FAMILIES, STOCK, write_family
from vision_zero.config.policy import PolicyConfig, SamplingConfig
from vision_zero.errors import PolicyError
from vision_zero.game.interface import Request
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_policy
from vision_zero.policy.processor import load_processor
from vision_zero.policy.processor_check import check_processor
from vision_zero.randomness import Seed

pytestmark = pytest.mark.slow

SIZES = ((112, 112), (120, 60))

families = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The folder of a family's tiny policy, made once."""
    return cache(lambda family: write_family(family, tmp_path_factory.mktemp("families") / family))


@pytest.fixture
def spoiled(base, tmp_path):
    """A copy of a family's folder that a test may break."""
    return lambda family: Path(shutil.copytree(base(family), tmp_path / family))


def loaded(folder, **settings):
    return load_policy(PolicyConfig(base=str(folder), **settings), None)


def refused(folder, **settings):
    with pytest.raises(PolicyError) as caught:
        loaded(folder, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@families
def test_inputs_are_those_of_the_stock_processor(base, family, monkeypatch):
    # The stock class of SmolVLM asks for a package that writes numbers of video frames as words.
    monkeypatch.setattr(processing_smolvlm, "num2words", str)
    # All of them ask for a video processor; the images go past it.
    monkeypatch.setattr(ProcessorMixin, "check_argument_for_proper_class", lambda self, name, argument: None)
    kind, settings = STOCK[family]
    path = str(base(family))
    own = load_processor(path)
    images, tokenizer = AutoImageProcessor.from_pretrained(path), AutoTokenizer.from_pretrained(path, padding_side="left")
    video = {} if family == "idefics3" else {"video_processor": None}
    stock = kind(images, tokenizer, **video, chat_template=own.chat_template, **settings)
    shown = [Image.radial_gradient("L").resize(size).convert("RGB") for size in SIZES]
    texts = [own.apply_chat_template(user_message(text, shown[0]), tokenize=False) for text in ("Who is the spy?", "Name it.")]
    shown_apart = [[image] for image in shown]
    one, other = (each(images=shown_apart, text=texts, padding=True, return_tensors="pt") for each in (own, stock))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert len(set(one["input_ids"][:, -1].tolist())) == 1, "padded on the left"


@families
def test_images_are_resized_alike_where_torchvision_is_installed(base, family, monkeypatch):
    monkeypatch.setattr(image_processing_auto, "is_torchvision_available", lambda: True)
    assert type(load_processor(str(base(family))).image_processor).__name__.endswith("Pil")


@families
def test_a_processor_is_saved_and_loaded_again(base, family, tmp_path):
    processor = load_processor(str(base(family)))
    processor.save_pretrained(tmp_path)
    shutil.copyfile(base(family) / "config.json", tmp_path / "config.json")
    again = load_processor(str(tmp_path))
    asked = user_message("Who is the spy?", scene_pairs(1)[0].original)
    encoding = {"tokenize": True, "return_dict": True, "return_tensors": "pt"}
    one, two = (each.apply_chat_template(asked, **encoding) for each in (processor, again))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@families
def test_a_prompt_is_never_cut_whatever_its_tokenizer_was_saved_with(base, spoiled, family):
    asked = user_message("Who is the spy? " * 20, scene_pairs(1)[0].original)
    whole = loaded(base(family)).encode([asked])["input_ids"]
    folder = spoiled(family)
    for name, changes in (
        ("tokenizer_config.json", {"truncation": True, "max_length": 30}),
        ("tokenizer.json", {"truncation": {"direction": "Right", "max_length": 30, "strategy": "LongestFirst", "stride": 0}}),
    ):
        file = folder / name
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    assert torch.equal(loaded(folder).encode([asked])["input_ids"], whole)


@families
def test_a_prompt_that_does_not_fit_names_its_game(base, family):
    policy = loaded(base(family), sampling=SamplingConfig(max_vote_tokens=100))
    image = scene_pairs(1)[0].original
    tokens = policy.encode([user_message("a" * 1940, image)])["input_ids"].shape[1]
    limit = CONTEXT - 100
    requests = [Request("game-7", 2, "civilian", "vote", 0, "a" * (1940 + limit - tokens + more), image) for more in (0, 1)]
    policy._check_lengths(policy.encode([user_message(requests[0].prompt, image)]), ["fits"], 100)
    with pytest.raises(PolicyError, match=r"game-7 \(seat 2, vote\) has 1949 tokens.* 100 is more than .* context of 2048"):
        policy.reply(requests, Seed(0))


@families
def test_the_settings_of_images_can_be_changed(base, family):
    names = {"qwen2_5_vl": "size", "qwen3_vl": "size", "internvl": "max_patches", "idefics3": "do_image_splitting"}
    values = {"size": {"shortest_edge": 28 * 28, "longest_edge": 28 * 28}, "max_patches": 1, "do_image_splitting": False}
    name = names.get(family, "do_image_splitting")
    wide = user_message("What?", Image.new("RGB", (120, 60)))
    plain, changed = loaded(base(family)), loaded(base(family), pictures={name: values[name]})
    assert changed.encode([wide])["input_ids"].shape[1] < plain.encode([wide])["input_ids"].shape[1]
    assert "policy.pictures.sise is no setting of" in refused(base(family), pictures={"sise": 1})


@families
def test_a_processor_that_writes_too_few_tokens_is_refused(base, family):
    policy = loaded(base(family))
    if family.startswith("qwen"):
        policy.processor.image_processor.merge_size = 4
    elif family == "internvl":
        policy.processor.image_seq_length = 3
    else:
        policy.processor.image_seq_len = 3
    with pytest.raises(PolicyError, match=r"writes \d+ tokens for an image of which the model makes \d+|cannot read") as caught:
        check_processor(policy)
    assert "\n" not in str(caught.value)


@families
def test_a_tokenizer_of_another_model_is_refused(base, spoiled, family):
    other = "qwen3_vl" if family in ("internvl", "idefics3", "smolvlm") else "idefics3"
    folder = spoiled(family)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(base(other) / name, folder / name)
    assert refused(folder)


@families
def test_a_chat_template_that_drops_the_text_is_refused(spoiled, family):
    folder = spoiled(family)
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("{{ part.text }}", ""))
    assert "the chat template drops the text of a message" in refused(folder)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("{{ part.text[:100] }}", "drops the text of a message, or its end"),
        ("{{ part.text.split('\\n')[0] }}", "drops the text of a message, or its end"),
        ("{{ part }}", "writes the parts of a message as they are stored"),
        ("{{ part | tojson }}", "writes the parts of a message as they are stored"),
    ],
)
def test_a_chat_template_that_spoils_the_text_is_refused(spoiled, written, reason):
    folder = spoiled("qwen2_5_vl")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("{{ part.text }}", written))
    assert reason in refused(folder)


@families
def test_a_chat_template_that_drops_the_system_part_is_refused(spoiled, family):
    folder = spoiled(family)
    template = folder / "chat_template.jinja"
    whole, without = template.read_text(), '{%- set messages = messages | rejectattr("role", "equalto", "system") | list -%}'
    template.write_text(without + whole)
    assert "the chat template drops the system part of a message" in refused(folder)
    template.write_text('{%- if messages[0].role == "system" -%}{{ raise_exception("no system role") }}{%- endif -%}' + whole)
    assert loaded(folder)


@families
def test_a_chat_template_that_drops_the_image_is_refused(spoiled, family):
    folder = spoiled(family)
    template = folder / "chat_template.jinja"
    lines = template.read_text().splitlines()
    template.write_text("\n".join(line.split("-%}")[0] + "-%}" if '== "image"' in line else line for line in lines))
    assert "the chat template drops the image of a message" in refused(folder)


def test_a_tokenizer_without_a_padding_token_pads_with_its_end_token(base, spoiled):
    """As Mistral's and Llama's are: masked, so that nothing depends on it."""
    folder = spoiled("qwen2_5_vl")
    told = json.loads((folder / "tokenizer_config.json").read_text())
    del told["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    asked = [user_message(text, scene_pairs(1)[0].original) for text in ("Who is the spy?", "Name it.")]
    one, other = loaded(base("qwen2_5_vl")), loaded(folder)
    assert other.processor.tokenizer.pad_token == other.processor.tokenizer.eos_token
    assert one.complete(asked, 6, Seed(0)) == other.complete(asked, 6, Seed(0))


def test_a_tokenizer_without_an_end_token_is_refused(spoiled):
    folder = spoiled("qwen2_5_vl")
    told = json.loads((folder / "tokenizer_config.json").read_text())
    del told["eos_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    assert "the tokenizer has no end token: name it as eos_token" in refused(folder)


def test_a_padding_token_that_the_model_does_not_know_is_refused(spoiled):
    folder = spoiled("qwen2_5_vl")
    told = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**told, "pad_token": "<never seen>"}))
    assert "the padding token <never seen> is token" in refused(folder)


def test_tokens_that_the_model_does_not_know_are_refused(base):
    policy = loaded(base("qwen2_5_vl"))
    policy.processor.tokenizer.add_tokens(["<new>"])
    policy.processor.chat_template += "<new>"
    with pytest.raises(PolicyError, match=r"writes token (\d+), but the model knows \1 tokens"):
        check_processor(policy)


@families
def test_weights_that_are_missing_are_refused_and_not_made_up(base, spoiled, family):
    from safetensors.torch import load_file, save_file

    weights = spoiled(family) / "model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if name.endswith(("q_proj.weight", "qkv.weight")))
    del tensors[name]
    save_file(tensors, weights, metadata={"format": "pt"})
    assert "has no weights for 1 parameters" in refused(weights.parent)


def test_a_model_without_features_of_images_is_refused(base):
    policy = loaded(base("qwen2_5_vl"))
    seeing = policy.model
    blind = SimpleNamespace(config=seeing.config, device=seeing.device, get_input_embeddings=seeing.get_input_embeddings)
    with pytest.raises(PolicyError, match="no image features to count"):
        check_processor(type(policy)(blind, policy.processor, policy.sampling))
