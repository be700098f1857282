"""The embedded policy's model: Qwen2.5-VL's architecture at a thousandth of its size, built in code.

It is the architecture of the main GPU target, so every code path of a 7 B policy is used: flattened patches with
``image_grid_thw``, merged vision tokens, multimodal rotary positions, the names that LoRA looks for. It differs from
Qwen2.5-VL in size, in full attention in every vision block (an image is 64 patches, so windows would save nothing) and in
images of one frame (Qwen duplicates an image along time).
"""

from __future__ import annotations

import torch
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLTextConfig,
    Qwen2_5_VLVisionConfig,
    Qwen2VLImageProcessorPil,
)

from vision_zero.policy.families import PictureProcessor
from vision_zero.warm_start import tokenizer as tokens

PICTURE = 112
"""Width and height, in pixels, of the area that every image is resized to (sides rounded to full patches)."""
PATCH, MERGE = 14, 2
CONTEXT = 2048


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
        window_size=PICTURE,
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


def build_processor(tokenizer: PreTrainedTokenizerFast) -> PictureProcessor:
    """The processor that turns images and chat messages into the policy's inputs."""
    area = PICTURE * PICTURE
    pictures = Qwen2VLImageProcessorPil(
        size={"shortest_edge": area, "longest_edge": area},
        patch_size=PATCH,
        merge_size=MERGE,
        temporal_patch_size=1,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.25, 0.25, 0.25],
    )
    processor = PictureProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
    still = {"image_processor_type", "processor_class"}
    processor.video_settings = {
        **{name: value for name, value in pictures.to_dict().items() if name not in still},
        "video_processor_type": "Qwen2VLVideoProcessor",
    }
    return processor
