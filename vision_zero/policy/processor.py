"""Processors that turn pictures and chat messages into a policy's inputs.

Qwen2.5-VL's stock processor insists on a video part, which needs torchvision, which has no build for CPU torch. Games have no
videos, so with and without torchvision the class below is used, which reads the same files and makes the same inputs.
"""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, AutoProcessor, Qwen2_5_VLProcessor


class PictureProcessor(Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor without its video part."""

    # ProcessorMixin reads from this signature which sub-processors there are.
    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


def load_processor(path: str, **options: Any) -> Any:
    """The processor of a policy's folder or hub id, padding on the left as generation needs it."""
    is_qwen = AutoConfig.from_pretrained(path, **options).model_type == "qwen2_5_vl"
    return (PictureProcessor if is_qwen else AutoProcessor).from_pretrained(path, padding_side="left", **options)
