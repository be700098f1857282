"""Processors that turn pictures and chat messages into a policy's inputs, the same with torchvision installed and without.

Several stock processors insist on a video part, which needs torchvision, which has no build for CPU torch. Games have no videos:
the classes below are the stock ones without that part, read the same files and make the same inputs. And transformers resizes
pictures by torchvision where that is installed and by Pillow where it is not, which gives other pixels: here it is always Pillow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoProcessor,
    Idefics3Processor,
    InternVLProcessor,
    Qwen2_5_VLProcessor,
    Qwen3VLProcessor,
)

from vision_zero.errors import PolicyError

_CUTS = ("truncation", "max_length", "stride")
"""Settings that some tokenizers are saved with and that would cut prompts off without a word."""


# ProcessorMixin reads from the signatures below which sub-processors there are.
class PictureProcessor(Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor without its video part."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


class Qwen3PictureProcessor(Qwen3VLProcessor):
    """Qwen3-VL's processor without its video part."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


class InternPictureProcessor(InternVLProcessor):
    """InternVL's processor without its video part."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        image_seq_length: int = 256,
        chat_template: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_processor, tokenizer, None, image_seq_length, chat_template=chat_template, **kwargs)


class SmolPictureProcessor(Idefics3Processor):
    """SmolVLM2's processor: to single pictures it does what its forerunner Idefics3 does, whose class knows no videos."""


WITHOUT_VIDEO: Mapping[str, type] = {
    "qwen2_5_vl": PictureProcessor,
    "qwen3_vl": Qwen3PictureProcessor,
    "internvl": InternPictureProcessor,
    "smolvlm": SmolPictureProcessor,
}
"""By the model's type; every other family is read by the library's own class."""


def load_processor(path: str, pictures: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """The processor of a policy's folder or hub id, padding on the left as generation needs it, and never cutting a prompt.

    Args:
        pictures: settings of its picture part that differ from the files.

    Raises:
        PolicyError: the picture part has no such setting.
    """
    family = AutoConfig.from_pretrained(path, **options).model_type
    processor = WITHOUT_VIDEO.get(family, AutoProcessor).from_pretrained(path, padding_side="left", **options)
    processor.image_processor = AutoImageProcessor.from_pretrained(path, backend="pil", **options)
    unknown = [name for name in pictures or {} if not hasattr(processor.image_processor, name)]
    if unknown:
        raise PolicyError(
            f"policy.pictures.{unknown[0]} is no setting of {type(processor.image_processor).__name__}: "
            "look into the preprocessor_config.json or processor_config.json of policy.base for those that it has"
        )
    if pictures:
        processor.image_processor = AutoImageProcessor.from_pretrained(path, backend="pil", **options, **pictures)
    for name in _CUTS:
        processor.tokenizer.init_kwargs.pop(name, None)
    return processor
