"""A tiny policy of each family of models, with random weights: configuration, processor and tokenizer built in code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    GenerationConfig,
    Idefics3Processor,
    InternVLProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
    Qwen2_5_VLProcessor,
    Qwen3VLProcessor,
    SmolVLMProcessor,
)
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from tests.make import made_decided, tiny_tokenizer
from vision_zero.policy.families import FAMILIES as KNOWN
from vision_zero.warm_start.tokenizer import CHAT_TEMPLATE, END, IMAGE, PAD, VIDEO, VISION_END, VISION_START

FAMILIES = ("qwen2_5_vl", "qwen3_vl", "internvl", "idefics3", "smolvlm")
STOCK = {
    "qwen2_5_vl": (Qwen2_5_VLProcessor, {}),
    "qwen3_vl": (Qwen3VLProcessor, {}),
    "internvl": (InternVLProcessor, {"image_seq_length": 4}),
    "idefics3": (Idefics3Processor, {"image_seq_len": 4}),
    "smolvlm": (SmolVLMProcessor, {"image_seq_len": 4}),
}
"""The library's own processor of each family, and its settings for the tiny model."""
CONTEXT = 2048
_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": None,
}
_MROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [1, 1, 2]}}
_IDEFICS_TOKENS = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
_INTERN_TOKENS = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}


def write_family(family: str, folder: Path, *, seed: int = 0) -> Path:
    """Save a policy of that family; images of 112 pixels are 4 tokens or a few more."""
    tokenizer = _tokenizer(family)
    build_family(family, tokenizer, seed=seed).save_pretrained(folder)
    _processor(family, tokenizer).save_pretrained(folder)
    return folder


def build_family(family: str, tokenizer: PreTrainedTokenizerFast | None = None, *, seed: int = 0) -> PreTrainedModel:
    """The model alone, for the family's tokenizer; its ``generation_config`` says what ends a reply."""
    tokenizer = tokenizer or _tokenizer(family)
    config = AutoConfig.for_model(family, **_settings(family, tokenizer))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = made_decided(AutoModelForImageTextToText.from_config(config))
    end, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=pad, do_sample=True)
    return model


def _tokenizer(family: str) -> PreTrainedTokenizerFast:
    tokenizer = tiny_tokenizer()
    if family == "internvl":
        tokenizer.add_tokens(list(_INTERN_TOKENS.values()), special_tokens=True)
        tokenizer.add_special_tokens({"extra_special_tokens": [*tokenizer.extra_special_tokens, *_INTERN_TOKENS.values()]})
        tokenizer._set_model_specific_special_tokens(_INTERN_TOKENS)
        image = _INTERN_TOKENS["context_image_token"]
    elif family in ("idefics3", "smolvlm"):
        tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
        tokenizer.add_special_tokens({"extra_special_tokens": [*tokenizer.extra_special_tokens, *_IDEFICS_TOKENS, *tiles]})
        image = _IDEFICS_TOKENS[0]
    else:
        return tokenizer
    tokenizer.chat_template = CHAT_TEMPLATE.replace(f"{VISION_START}{IMAGE}{VISION_END}", image)
    return tokenizer


def _settings(family: str, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """What the configuration says that is not the family's default."""

    def token(name: str) -> int:
        return int(tokenizer.convert_tokens_to_ids(name))

    text = {**_TEXT, "vocab_size": len(tokenizer), "eos_token_id": token(END), "pad_token_id": token(PAD)}
    if family.startswith("qwen"):
        tokens = {
            "image_token_id": token(IMAGE),
            "video_token_id": token(VIDEO),
            "vision_start_token_id": token(VISION_START),
            "vision_end_token_id": token(VISION_END),
        }
        vision = {"depth": 2, "hidden_size": 16, "intermediate_size": 24, "num_heads": 2, "out_hidden_size": 32}
        own = {"fullatt_block_indexes": [1]} if family == "qwen2_5_vl" else {"deepstack_visual_indexes": [0]}
        if family == "qwen2_vl":
            vision, own = {"depth": 2, "embed_dim": 16, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2}, {}
        return {"text_config": {**text, **_MROPE}, "vision_config": {**vision, **own}, **tokens}
    vision = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    if family == "internvl":
        vision |= {"image_size": [28, 28], "patch_size": [7, 7]}
        token_id = token(_INTERN_TOKENS["context_image_token"])
        return {"text_config": {"model_type": "qwen2", **text}, "vision_config": vision, "image_token_id": token_id}
    vision |= {"image_size": 32, "patch_size": 8}
    text |= {"model_type": "llama"}
    return {"text_config": text, "vision_config": vision, "scale_factor": 2, "image_token_id": token(_IDEFICS_TOKENS[0])}


def _processor(family: str, tokenizer: PreTrainedTokenizerFast) -> ProcessorMixin:
    kind: Any = KNOWN[family].processor or Idefics3Processor
    settings: dict[str, Any] = {"tokenizer": tokenizer, "chat_template": tokenizer.chat_template}
    if family.startswith("qwen"):
        side, patch, video = (64, 16, "Qwen3VLVideoProcessor") if family == "qwen3_vl" else (56, 14, "Qwen2VLVideoProcessor")
        images = Qwen2VLImageProcessorPil(size={"shortest_edge": side**2, "longest_edge": side**2}, patch_size=patch)
        return _with_video(kind(images, **settings), video)
    if family == "internvl":
        images = GotOcr2ImageProcessorPil(size={"height": 28, "width": 28}, crop_to_patches=True, max_patches=2)
        return _with_video(kind(images, image_seq_length=4, **settings), "InternVLVideoProcessor")
    sizes = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}
    if family == "idefics3":
        return kind(Idefics3ImageProcessorPil(**sizes), image_seq_len=4, **settings)
    return _with_video(kind(SmolVLMImageProcessorPil(**sizes), image_seq_len=4, **settings), "SmolVLMVideoProcessor")


def _with_video(processor: Any, kind: str) -> ProcessorMixin:
    """As released bases are: with settings of videos, which the stock class reads."""
    sampling = {"num_frames": 2, "fps": 1, "max_frames": 2, "video_size": {"longest_edge": 32}}
    processor.video_settings = {
        "video_processor_type": kind,
        "size": processor.image_processor.to_dict()["size"],
        **(sampling if kind.startswith("Smol") else {}),
    }
    return processor
