"""Qwen2.5-VL's processor for pictures alone.

The stock class insists on a video processor, which needs torchvision, which has no build for CPU torch. Importing this
module makes ``AutoProcessor`` use the class below for Qwen2.5-VL folders wherever torchvision is missing; where it is there,
the stock class stays. The saved files are the stock ones, so a folder made here loads anywhere.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from transformers import AutoProcessor, Qwen2_5_VLConfig, Qwen2_5_VLProcessor


class PictureProcessor(Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor without its video part."""

    # ProcessorMixin reads from this signature which sub-processors there are.
    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


if find_spec("torchvision") is None:
    AutoProcessor.register(Qwen2_5_VLConfig, PictureProcessor, exist_ok=True)
