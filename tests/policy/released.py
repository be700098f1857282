"""Released models in small: two narrow layers with random weights, and everything else as published.

A recipe meets here what the tiny families of ``tests/policy/families.py`` spare it: a vocabulary of 150,000 tokens cut by the
family's own rules, the special tokens at their ids, the family's chat template, the settings of its images, and generation
settings that nobody asked for. Sources: configurations from ``vision_zero/policy/released``; chat templates as TRL ships them
(``trl/chat_templates``, byte-identical to the hub's); InternVL's, its special tokens and images as in transformers'
``convert_internvl_weights_to_hf.py``; settings of images, special tokens and generation from each model's files on the hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, GenerationConfig

from tests.make import made_decided
from vision_zero.performance.stand_in import (
    QWEN2_5_IMAGES,
    QWEN_NAMES,
    QWEN_PIECES,
    QWEN_WORDS,
    narrowed,
    published_template,
    qwen_special,
    write_json,
    write_tokenizer,
)

_GPT2_PIECES = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
_QWEN3 = ("<tool_response>", "</tool_response>", "<think>", "</think>")
_INTERN = ("<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>")
_SMOL_FIRST = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<reponame>", "<file_sep>", "<filename>", "<gh_stars>"),
    *("<issue_start>", "<issue_comment>", "<issue_closed>", "<jupyter_start>", "<jupyter_text>", "<jupyter_code>"),
    *("<jupyter_output>", "<jupyter_script>", "<empty_output>"),
)
_SMOL_ADDED = ("<fake_token_around_image>", "<image>", "<end_of_utterance>")
_HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
_QWEN_GENERATION = {"bos_token_id": 151643, "pad_token_id": 151643, "eos_token_id": [151645, 151643], "do_sample": True}
_INTERN_TEMPLATE = """\
{%- for message in messages -%}
{{ "<|im_start|>" + message.role + "\\n" }}
{%- if message.content is string -%}{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == "image" -%}{{ "<IMG_CONTEXT>\\n" }}
{%- elif part.type == "video" -%}{{ "<video>\\n" }}
{%- elif part.type == "text" -%}{{ part.text }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{ "<|im_end|>\\n" }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ "<|im_start|>assistant\\n" }}{%- endif -%}"""
"""Renders what the published one does."""


@dataclass(frozen=True)
class Published:
    """Files of a released model beside its configuration and weights.

    Attributes:
        words: size of the vocabulary before special tokens were added.
        special: added tokens, whose ids follow those of the vocabulary.
        first: special tokens at the beginning of the vocabulary.
        template: a chat template of TRL's, by name, or the template itself.
        opens, closes: what the template puts before the prompt's image and after the prompt's text.
        placeholder: the token that stands for an image, or for each of its features.
        tokenizer, images, processor, generation: settings in the files of those names.
    """

    words: int
    special: Sequence[str]
    template: str
    opens: str
    closes: str
    placeholder: str
    pictures: dict[str, Any]
    tokenizer: dict[str, Any]
    processor: dict[str, Any]
    first: Sequence[str] = ()
    pieces: str = QWEN_PIECES
    generation: dict[str, Any] = field(default_factory=dict)


_CHATML = "<|im_start|>user\n"
_CHATML_END = "<|im_end|>\n<|im_start|>assistant\n"
_QWEN2_5 = Published(
    words=QWEN_WORDS,
    special=qwen_special(),
    template="qwen2_5_vl",
    opens=f"<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{_CHATML}<|vision_start|>",
    closes=_CHATML_END,
    placeholder="<|image_pad|>",
    pictures=QWEN2_5_IMAGES,
    tokenizer={**QWEN_NAMES, "model_max_length": 131_072, "add_bos_token": False, "add_prefix_space": False},
    processor={},
    generation={**_QWEN_GENERATION, "repetition_penalty": 1.05, "temperature": 0.000001},
)
_QWEN3_VL = Published(
    words=QWEN_WORDS,
    special=qwen_special(*_QWEN3),
    template="qwen3_vl",
    opens=f"{_CHATML}<|vision_start|>",
    closes=_CHATML_END,
    placeholder="<|image_pad|>",
    pictures={
        "size": {"longest_edge": 16_777_216, "shortest_edge": 65_536},
        "patch_size": 16,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "processor_class": "Qwen3VLProcessor",
        **_HALF,
    },
    tokenizer={**QWEN_NAMES, "model_max_length": 262_144, "add_bos_token": False, "add_prefix_space": False},
    processor={},
    generation={**_QWEN_GENERATION, "top_k": 20, "top_p": 0.8, "temperature": 0.7},
)
_INTERN_NAMES = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
_INTERN_VL = Published(
    words=QWEN_WORDS,
    special=qwen_special(*_INTERN, "<video>"),
    template=_INTERN_TEMPLATE,
    opens=f"{_CHATML}<img>",
    closes=_CHATML_END,
    placeholder="<IMG_CONTEXT>",
    pictures={
        "size": {"height": 448, "width": 448},
        "crop_to_patches": True,
        "min_patches": 1,
        "max_patches": 12,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
        "resample": 3,
        "image_processor_type": "GotOcr2ImageProcessorFast",
        "processor_class": "InternVLProcessor",
    },
    tokenizer={**QWEN_NAMES, **_INTERN_NAMES, "extra_special_tokens": _INTERN_NAMES, "model_max_length": 8192},
    processor={"image_seq_length": 256, "processor_class": "InternVLProcessor"},
)
_SMOL_VLM = Published(
    words=49_152,
    special=_SMOL_ADDED,
    first=_SMOL_FIRST,
    template="smolvlm",
    opens="<|im_start|>User:<fake_token_around_image><global-img>",
    closes="<end_of_utterance>\nAssistant:",
    placeholder="<image>",
    pieces=_GPT2_PIECES,
    pictures={
        "size": {"longest_edge": 1536},
        "max_image_size": {"longest_edge": 384},
        "do_image_splitting": True,
        "resample": 1,
        "do_pad": True,
        "image_processor_type": "Idefics3ImageProcessor",
        "processor_class": "Idefics3Processor",
        **_HALF,
    },
    tokenizer={
        "tokenizer_class": "GPT2Tokenizer",
        "bos_token": "<|im_start|>",
        "eos_token": "<end_of_utterance>",
        "pad_token": "<|im_end|>",
        "unk_token": "<|endoftext|>",
        "model_max_length": 16_384,
        "truncation_side": "left",
    },
    processor={"image_seq_len": 81, "processor_class": "Idefics3Processor"},
    generation={"bos_token_id": 1, "eos_token_id": 49_154, "pad_token_id": 2},
)
PUBLISHED = {
    "Qwen/Qwen2.5-VL-3B-Instruct": _QWEN2_5,
    "Qwen/Qwen2.5-VL-7B-Instruct": _QWEN2_5,
    "Qwen/Qwen3-VL-4B-Instruct": _QWEN3_VL,
    "Qwen/Qwen3-VL-8B-Instruct": _QWEN3_VL,
    "OpenGVLab/InternVL3-8B-hf": _INTERN_VL,
    "HuggingFaceTB/SmolVLM-Instruct": _SMOL_VLM,
}
RELEASED = tuple(PUBLISHED)


def write_small(base: str, folder: Path) -> Path:
    """Save the released model in small."""
    published = PUBLISHED[base]
    settings = narrowed(base)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = made_decided(AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16))
    model.generation_config = GenerationConfig(**published.generation)
    model.save_pretrained(folder)
    write_tokenizer(
        folder,
        published.tokenizer,
        words=published.words,
        special=published.special,
        first=published.first,
        pieces=published.pieces,
    )
    write_json(folder / "preprocessor_config.json", published.pictures)
    if published.processor:
        write_json(folder / "processor_config.json", published.processor)
    template = published.template if "{" in published.template else published_template(published.template)
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder
