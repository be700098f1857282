"""The shapes of released models, as their config.json gives them, so that plans can be made without any file of theirs."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig

from vision_zero.policy.base_models import shipped_config


def config_of(base: str) -> Any:
    """The configuration of a released model."""
    return AutoConfig.from_pretrained(shipped_config(base))


PARAMETERS = {
    "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656,
    "Qwen/Qwen2.5-VL-3B-Instruct": 3_754_622_976,
    "Qwen/Qwen3-VL-8B-Instruct": 8_767_123_696,
    "Qwen/Qwen3-VL-4B-Instruct": 4_437_815_808,
    "OpenGVLab/InternVL3-8B-hf": 7_944_373_760,
    "HuggingFaceTB/SmolVLM-Instruct": 2_246_272_880,
}
"""As the hub counts them."""
