"""Stand-ins for released models where no hub is reachable: their shape with random weights, and a processor made here.

What a benchmark measures depends on shapes, on lengths of prompts and on images, not on what the weights say. Shapes are the
shipped ones. The tokenizer has the size of the released vocabulary and its special tokens at their ids; its merges are learned
from the longest prompts of the paper and then made up from bytes that English does not use. Qwen's own tokenizer writes these
prompts in 922 and 926 tokens (counted once with its table of merges), the one here in a few more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX as QWEN_PIECES

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.policy.base_models import shipped_config
from vision_zero.training.plan import longest_prompts

_LEARNED = 640
"""Tokens of single bytes and of what the prompts taught: so many that the prompts are written in about as many as by Qwen's."""
_PLAIN = ("<tool", "</tool", "<|fim", "<|repo", "<|file", "<think", "</think")
"""Beginnings of added tokens that are no special ones: replies keep them."""
_HIDDEN, _HEADS = 32, 2


def released_settings(base: str) -> dict[str, Any]:
    """The settings of a released model's configuration, by name, with its ``model_type``.

    Raises:
        KeyError: its configuration is not among those that are shipped.
    """
    folder = shipped_config(base)
    if folder is None:
        raise KeyError(base)
    settings: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return settings


def narrowed(base: str) -> dict[str, Any]:
    """The settings of a released configuration with two narrow layers a side, for tests on a CPU."""
    settings = released_settings(base)
    text, vision = settings["text_config"], settings["vision_config"]
    has_groups = text["num_key_value_heads"] < text["num_attention_heads"]
    text |= {"hidden_size": _HIDDEN, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": _HEADS}
    text |= {"num_key_value_heads": 1 if has_groups else _HEADS, "head_dim": _HIDDEN // _HEADS}
    if "mrope_section" in text["rope_parameters"]:  # their sum is half of a head
        text["rope_parameters"]["mrope_section"] = [2, 3, 3]
    vision |= {"hidden_size": 32, "intermediate_size": 48}
    vision |= {"depth": 2, "num_heads": 2} if "depth" in vision else {"num_hidden_layers": 2, "num_attention_heads": 2}
    own = {"out_hidden_size": _HIDDEN, "fullatt_block_indexes": [1], "deepstack_visual_indexes": [0]}
    return {**settings, "vision_config": vision | {name: value for name, value in own.items() if name in vision}}


def qwen_special(*more: str) -> list[str]:
    """The added tokens of Qwen2.5, and ``more`` after them."""
    pairs = ("object_ref", "box", "quad", "vision")
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    names += [f"<|{name}_{side}|>" for name in pairs for side in ("start", "end")]
    names += ["<|vision_pad|>", "<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>"]
    names += ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"]
    return [*names, *more]


QWEN_WORDS = 151_643
"""Size of Qwen's vocabulary before special tokens."""
QWEN_NAMES = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
QWEN2_5_IMAGES = {
    "min_pixels": 3136,
    "max_pixels": 12_845_056,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2_5_VLProcessor",
}


def write_qwen2_5_processor(folder: Path) -> None:
    """Write the files of a processor for Qwen2.5-VL's shape."""
    write_tokenizer(folder, QWEN_NAMES, words=QWEN_WORDS, special=qwen_special())
    write_json(folder / "preprocessor_config.json", QWEN2_5_IMAGES)
    (folder / "chat_template.jinja").write_text(published_template("qwen2_5_vl"), encoding="utf-8")


def published_template(name: str) -> str:
    """A released model's chat template, as TRL ships it."""
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


def write_tokenizer(
    folder: Path,
    settings: Mapping[str, Any],
    *,
    words: int,
    special: Sequence[str],
    first: Sequence[str] = (),
    pieces: str = QWEN_PIECES,
) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json``.

    Args:
        settings: of the latter.
        words: size of the vocabulary before special tokens were added.
        special: added tokens, whose ids follow those of the vocabulary.
        first: special tokens at the beginning of the vocabulary.
        pieces: the regular expression that text is cut by.
    """
    vocabulary, merges = _vocabulary(pieces, words - len(first))
    tokenizer = Tokenizer(models.BPE({word: place for place, word in enumerate([*first, *vocabulary])}, merges))
    if pieces == QWEN_PIECES:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _cut_by(pieces)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(name, normalized=False, special=not name.startswith(_PLAIN)) for name in (*first, *special)])
    tokenizer.save(str(folder / "tokenizer.json"))
    told = ("content", "lstrip", "rstrip", "single_word", "normalized", "special")
    by_id = tokenizer.get_added_tokens_decoder()
    added = {number: {name: getattr(token, name) for name in told} for number, token in by_id.items()}
    write_json(folder / "tokenizer_config.json", {**settings, "added_tokens_decoder": added})


def write_json(path: Path, content: Any) -> None:
    """Write a settings file."""
    path.write_text(json.dumps(content), encoding="utf-8")


def _cut_by(pieces: str) -> pre_tokenizers.PreTokenizer:
    """By that regular expression, and then into bytes."""
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pieces), "isolated"), by_bytes])


@cache
def _vocabulary(pieces: str, size: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-level vocabulary of that size, and its merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _cut_by(pieces)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=_LEARNED, min_frequency=1, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(longest_prompts(SelfPlayConfig()), trainer)
    learned = json.loads(tokenizer.to_str())["model"]
    words, merges = learned["vocab"], [tuple(merge) for merge in learned["merges"]]
    unused = sorted(letter for letter in alphabet if ord(letter) > 0xBF)
    begun = [""]
    while True:
        begun = [start + letter for start, letter in product(begun, unused)]
        for word in begun:
            if word not in words:
                words[word] = len(words)
                merges.append((word[:-1], word[-1]))
            if len(words) == size:
                return words, merges
