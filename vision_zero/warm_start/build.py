"""Makes the embedded policy: tokenizer, random weights, SFT, export with its model card.

Its model is of Qwen2.5-VL's architecture at a thousandth of its size, built in code: the architecture of the main GPU target, so
every code path of a 7 B policy is used: flattened patches with ``image_grid_thw``, merged vision tokens, multimodal rotary
positions, the names that LoRA looks for. It differs from Qwen2.5-VL in size, in full attention in every vision block (an image is
64 patches, so windows would save nothing) and in images of one frame (Qwen duplicates an image along time).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLTextConfig,
    Qwen2_5_VLVisionConfig,
    Qwen2VLImageProcessorPil,
)

from vision_zero.atomic_dir import atomic_dir
from vision_zero.config.nano_defaults import NANO_SAMPLING
from vision_zero.config.policy import NANO, PolicyConfig
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.jinja import text_template
from vision_zero.policy.families import FAMILIES
from vision_zero.policy.folder import CARD
from vision_zero.policy.loading import load_base
from vision_zero.randomness import Seed
from vision_zero.warm_start import tokenizer as tokens
from vision_zero.warm_start.curriculum import Curriculum, begin
from vision_zero.warm_start.exam_scores import Exam
from vision_zero.warm_start.sft import fine_tune
from vision_zero.warm_start.tokenizer import train_tokenizer

Tell = Callable[[str], None]
WEIGHTS = "model.safetensors"
TRAINED = "trained"
"""Folder of the result of each schedule."""
BESIDE_WEIGHTS = {"folder", "compile", "checkpoint_every", "exam_pairs", "exam_questions", "exam_lists"}
"""Settings that may change during a warm start: but for rounding, the weights do not depend on them."""

COMMON_WORDS = (
    "the of and to in is you that it he was for on are as with his they I at be this have from or one had by word but not what "
    "all were we when your can said there use an each which she do how their if will up other about out many then them these so "
    "some her would make like him into time has look two more write go see number no way could people my than first water been "
    "call who its now find long down day did get come made may part chart bar line value highest lowest answer question choose "
    "letter option following according picture image based shown year percent total between difference"
)
"""Common English words, so that questions of other benchmarks are not split into single bytes."""
IMAGE_SIDE = 112
"""Width and height, in pixels, of the area that every image is resized to (sides rounded to full patches)."""
PATCH, MERGE = 14, 2
CONTEXT = 2048


def build_policy(config: WarmStartConfig, images: Path, folder: Path, tell: Tell) -> Path:
    """Train a policy from random weights or ``start_from``, resuming an interrupted warm start.

    Returns:
        The trained policy's folder, in half precision.

    Raises:
        PolicyError: the folder was begun with other settings.
    """
    begin(folder, config.model_dump(mode="json", exclude=BESIDE_WEIGHTS))
    curriculum = Curriculum(config, images)
    trained = None if config.start_from is None else Path(config.start_from)
    for number, fine_tuning in enumerate(config.fine_tunings, start=1):
        before, trained = trained, folder / f"fine_tuning_{number}" / TRAINED
        if trained.exists():
            continue
        tell(f"fine-tuning {number} of {len(config.fine_tunings)}, {fine_tuning.steps} steps")
        model, processor = _blank(config, curriculum) if before is None else load_base(PolicyConfig(base=str(before)))
        if config.max_pixels is not None:
            processor.image_processor.size.longest_edge = config.max_pixels
        trained.parent.mkdir(parents=True, exist_ok=True)
        fine_tune(config, fine_tuning, curriculum, model, processor, trained.parent, tell)
        with atomic_dir(trained) as fresh:
            _save_halved(model, processor, fresh)
    assert trained is not None
    return trained


def export(trained: Path, target: Path, config: WarmStartConfig, exam: Exam) -> None:
    """Write the policy's folder with its model card."""
    with atomic_dir(target) as fresh:
        shutil.copytree(trained, fresh, dirs_exist_ok=True)
        (fresh / CARD).write_text(nano_card(config, exam), encoding="utf-8")


def _blank(config: WarmStartConfig, curriculum: Curriculum) -> tuple[Any, Any]:
    """A policy with a new tokenizer and random weights."""
    words = [" " + word for word in COMMON_WORDS.split()]
    tokenizer = train_tokenizer([*curriculum.texts(config.tokenizer_examples), *words * 20])
    return build_model(tokenizer, Seed(config.seed).child("weights").integer() % 2**31), build_processor(tokenizer)


def _save_halved(model: Any, processor: Any, folder: Path) -> None:
    """A policy folder with weights in half precision; it loads as float32 unless asked otherwise."""
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    weights = load_file(folder / WEIGHTS)
    save_file({name: tensor.to(torch.float16) for name, tensor in weights.items()}, folder / WEIGHTS, metadata={"format": "pt"})


def nano_card(config: WarmStartConfig, exam: Exam) -> str:
    """The model card of the embedded policy, or of one that starts from it, in Markdown."""
    return text_template("vision_zero.warm_start", "nano_card.md.j2").render(
        config=config,
        exam=exam,
        temperature=f"{NANO_SAMPLING.temperature:g}",
        is_further=config.start_from == NANO,
        compares=any("two scenes" in phase.shown for phase in config.phases),
    )


def build_config(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLConfig:
    """The configuration of the embedded policy for that tokenizer."""

    def token(name: str) -> int:
        return int(tokenizer.convert_tokens_to_ids(name))

    text = Qwen2_5_VLTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [4, 6, 6]},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=token(tokens.END),
        pad_token_id=token(tokens.PAD),
    )
    depth = 4
    vision = Qwen2_5_VLVisionConfig(
        depth=depth,
        hidden_size=128,
        intermediate_size=384,
        num_heads=4,
        patch_size=PATCH,
        spatial_merge_size=MERGE,
        temporal_patch_size=1,
        window_size=IMAGE_SIDE,
        out_hidden_size=192,
        fullatt_block_indexes=list(range(depth)),
    )
    return Qwen2_5_VLConfig(
        text_config=text.to_dict(),
        vision_config=vision.to_dict(),
        image_token_id=token(tokens.IMAGE),
        video_token_id=token(tokens.VIDEO),
        vision_start_token_id=token(tokens.VISION_START),
        vision_end_token_id=token(tokens.VISION_END),
        tie_word_embeddings=True,
    )


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen2_5_VLForConditionalGeneration:
    """A policy with random weights from a seed; torch's global generator is not changed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2_5_VLForConditionalGeneration(build_config(tokenizer))
    end, pad = model.config.text_config.eos_token_id, model.config.text_config.pad_token_id
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=pad, do_sample=True)
    return model


def build_processor(tokenizer: PreTrainedTokenizerFast) -> Any:
    """The processor that turns images and chat messages into the policy's inputs."""
    area = IMAGE_SIDE * IMAGE_SIDE
    images = Qwen2VLImageProcessorPil(
        size={"shortest_edge": area, "longest_edge": area},
        patch_size=PATCH,
        merge_size=MERGE,
        temporal_patch_size=1,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.25, 0.25, 0.25],
    )
    kind: Any = FAMILIES["qwen2_5_vl"].processor
    processor = kind(images, tokenizer, chat_template=tokenizer.chat_template)
    still = {"image_processor_type", "processor_class"}
    processor.video_settings = {
        **{name: value for name, value in images.to_dict().items() if name not in still},
        "video_processor_type": "Qwen2VLVideoProcessor",
    }
    return processor
