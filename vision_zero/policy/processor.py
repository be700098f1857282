"""Processors that turn images and chat messages into a policy's inputs, with equal results with and without torchvision.

Several stock processors require a video processor and so torchvision, which has no build for CPU torch. Games have no videos:
the classes below are the stock ones without it; they read the same files and make the same inputs. transformers resizes images
with torchvision if it is installed and with Pillow otherwise, which gives different pixels: here it is always Pillow.

Saved files are for the stock classes: they name the stock class and contain the video settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoProcessor,
    Idefics3Processor,
    InternVLProcessor,
    ProcessorMixin,
    Qwen2_5_VLProcessor,
    Qwen2VLProcessor,
    Qwen3VLProcessor,
)

from vision_zero.errors import PolicyError
from vision_zero.policy.transformers_adapter import file_if_there, save_under_name

_CUTS = ("truncation", "max_length", "stride")
"""Settings in some tokenizers' files that would silently truncate prompts."""


_NOT_SAVED = ("is_local", "local_files_only")
"""Setting into which transformers writes where a tokenizer was loaded from."""
VIDEO_SETTINGS = "video_preprocessor_config.json"


class _WithoutVideo(ProcessorMixin):
    """Base of these classes.

    Attributes:
        video_settings: settings of the stock class's video processor, which are saved but not used.
    """

    video_settings: Mapping[str, Any] | None = None

    def save_pretrained(self, save_directory: Any, push_to_hub: bool = False, **kwargs: Any) -> Any:
        files = super().save_pretrained(save_directory, push_to_hub, **kwargs)
        if self.video_settings:
            text = json.dumps(dict(self.video_settings), indent=2, sort_keys=True) + "\n"
            (Path(save_directory) / VIDEO_SETTINGS).write_text(text, encoding="utf-8")
        return files


# ProcessorMixin reads from the signatures below which sub-processors there are.
class PictureProcessor(_WithoutVideo, Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor without its video processor."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


class Qwen2PictureProcessor(_WithoutVideo, Qwen2VLProcessor):
    """Qwen2-VL's processor without its video processor."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


class Qwen3PictureProcessor(_WithoutVideo, Qwen3VLProcessor):
    """Qwen3-VL's processor without its video processor."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


class InternPictureProcessor(_WithoutVideo, InternVLProcessor):
    """InternVL's processor without its video processor."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        image_seq_length: int = 256,
        chat_template: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_processor, tokenizer, None, image_seq_length, chat_template=chat_template, **kwargs)


class SmolPictureProcessor(_WithoutVideo, Idefics3Processor):
    """SmolVLM2's processor; for single images it equals that of Idefics3, whose class has no videos."""


WITHOUT_VIDEO: Mapping[str, type] = {
    "qwen2_vl": Qwen2PictureProcessor,
    "qwen2_5_vl": PictureProcessor,
    "qwen3_vl": Qwen3PictureProcessor,
    "internvl": InternPictureProcessor,
    "smolvlm": SmolPictureProcessor,
}
"""Classes by model type; other families use the library's own class."""

save_under_name(Qwen2PictureProcessor, "Qwen2VLProcessor")
save_under_name(PictureProcessor, "Qwen2_5_VLProcessor")
save_under_name(Qwen3PictureProcessor, "Qwen3VLProcessor")
save_under_name(InternPictureProcessor, "InternVLProcessor")
save_under_name(SmolPictureProcessor, "SmolVLMProcessor")


def load_processor(path: str, pictures: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """The processor of a policy's folder or hub id, with left padding and without truncation.

    A tokenizer without a padding token pads with its end token.

    Args:
        pictures: overrides for the settings of its image processor.

    Raises:
        PolicyError: the image processor has no such setting, or the tokenizer has no token to pad with.
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
    if processor.tokenizer.pad_token is None:
        if processor.tokenizer.eos_token is None:
            raise PolicyError("the tokenizer has neither a padding token nor an end token: name one in its tokenizer_config.json")
        # Padding is always masked, so its token does not matter.
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    if family in WITHOUT_VIDEO:
        processor.video_settings = _video_settings(path, **options)
    for name in (*_CUTS, *_NOT_SAVED):
        processor.tokenizer.init_kwargs.pop(name, None)
    return processor


def _video_settings(path: str, **options: Any) -> dict[str, Any] | None:
    """Settings of the stock class's video processor, in the order in which it looks for them; the last ones are defaults for
    folders of earlier versions of this package, which lack them."""

    def read(name: str) -> dict[str, Any]:
        found = file_if_there(path, name, options.get("revision"))
        content: dict[str, Any] = json.loads(found.read_text(encoding="utf-8")) if found else {}
        return content

    processor = read("processor_config.json")
    return (
        processor.get("video_processor")
        or read(VIDEO_SETTINGS)
        or read("preprocessor_config.json")
        or processor.get("image_processor")
    )
