"""The shapes of released models, as their config.json gives them, so that plans can be made without any file of theirs."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig

_QWEN_TOKENS = {
    "image_token_id": 151655,
    "video_token_id": 151656,
    "vision_start_token_id": 151652,
    "vision_end_token_id": 151653,
}


def _blocks(hidden: int, feed: int, layers: int, heads: int, **more: Any) -> dict[str, Any]:
    return {"hidden_size": hidden, "intermediate_size": feed, "num_hidden_layers": layers, "num_attention_heads": heads, **more}


def _text(hidden: int, feed: int, layers: int, heads: int, keys: int, words: int, context: int, **more: Any) -> dict[str, Any]:
    own = {"num_key_value_heads": keys, "vocab_size": words, "max_position_embeddings": context}
    return _blocks(hidden, feed, layers, heads, **own, **more)


def _mrope(*sections: int) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": list(sections)}}


def _qwen2_5(hidden: int, feed: int, layers: int, heads: int, keys: int, words: int, *, tied: bool) -> Any:
    return AutoConfig.for_model(
        "qwen2_5_vl",
        text_config=_text(hidden, feed, layers, heads, keys, words, 128_000, **_mrope(16, 24, 24)),
        vision_config={"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": hidden},
        tie_word_embeddings=tied,
        **_QWEN_TOKENS,
    )


def _qwen3(hidden: int, feed: int, vision: dict[str, Any], *, tied: bool) -> Any:
    return AutoConfig.for_model(
        "qwen3_vl",
        text_config=_text(hidden, feed, 36, 32, 8, 151_936, 262_144, head_dim=128, **_mrope(24, 20, 20)),
        vision_config={"num_heads": 16, "out_hidden_size": hidden, **vision},
        tie_word_embeddings=tied,
        **_QWEN_TOKENS,
    )


def config_of(base: str) -> Any:
    """The configuration of a released model."""
    if base == "Qwen/Qwen2.5-VL-7B-Instruct":
        return _qwen2_5(3584, 18_944, 28, 28, 4, 152_064, tied=False)
    if base == "Qwen/Qwen2.5-VL-3B-Instruct":
        return _qwen2_5(2048, 11_008, 36, 16, 2, 151_936, tied=True)
    if base == "Qwen/Qwen3-VL-8B-Instruct":
        vision = {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "deepstack_visual_indexes": [8, 16, 24]}
        return _qwen3(4096, 12_288, vision, tied=False)
    if base == "Qwen/Qwen3-VL-4B-Instruct":
        vision = {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "deepstack_visual_indexes": [5, 11, 17]}
        return _qwen3(2560, 9728, vision, tied=True)
    if base == "OpenGVLab/InternVL3-8B-hf":
        return AutoConfig.for_model(
            "internvl",
            text_config={"model_type": "qwen2", **_text(3584, 18_944, 28, 28, 4, 151_674, 32_768)},
            vision_config=_blocks(1024, 4096, 24, 16, attention_bias=True),
            tie_word_embeddings=False,
            image_token_id=151_667,
        )
    if base == "HuggingFaceTB/SmolVLM-Instruct":
        return AutoConfig.for_model(
            "idefics3",
            text_config={"model_type": "llama", **_text(2048, 8192, 24, 32, 32, 49_155, 16_384)},
            vision_config=_blocks(1152, 4304, 27, 16, image_size=384, patch_size=14),
            scale_factor=3,
            tie_word_embeddings=False,
            image_token_id=49_153,
        )
    raise KeyError(base)


PARAMETERS = {
    "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656,
    "Qwen/Qwen2.5-VL-3B-Instruct": 3_754_622_976,
    "Qwen/Qwen3-VL-8B-Instruct": 8_767_123_696,
    "Qwen/Qwen3-VL-4B-Instruct": 4_437_815_808,
    "OpenGVLab/InternVL3-8B-hf": 7_944_373_760,
    "HuggingFaceTB/SmolVLM-Instruct": 2_246_272_880,
}
"""As the hub counts them."""
