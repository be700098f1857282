"""Model families: what the project knows about each, in one place.

Any ``AutoModelForImageTextToText`` works without an entry: its stock processor is used, its images are encoded each time, and
``learning.shared_prefix`` is refused. An entry may name a processor class without the video processor that the stock one
requires, and allow the cache of image features and shared prompts. Tests check every family for what its entry says; they build
it small in ``tests/policy/families.py``, the only other file that a new family needs to touch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import (
    Idefics3Processor,
    InternVLProcessor,
    ProcessorMixin,
    Qwen2_5_VLProcessor,
    Qwen2VLProcessor,
    Qwen3VLProcessor,
)

VIDEO_SETTINGS = "video_preprocessor_config.json"


class _WithoutVideo(ProcessorMixin):
    """Base of processors without a video processor.

    Several stock processors require a video processor and so torchvision, which has no build for CPU torch. Games have no videos:
    these classes are the stock ones without it; they read the same files and make the same inputs. Saved files are for the stock
    classes: they name the stock class and contain the video settings.

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
class _QwenWithoutVideo(_WithoutVideo):
    """Base of Qwen's processors."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)


class _InternWithoutVideo(_WithoutVideo):
    """Base of InternVL's processor."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        image_seq_length: int = 256,
        chat_template: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(image_processor, tokenizer, None, image_seq_length, chat_template=chat_template, **kwargs)


def _without_video(stock: Any, base: type = _QwenWithoutVideo, name: str | None = None) -> Any:
    """A stock class on one of these bases, under its name or another: transformers writes that into a processor's files."""
    return type(name or stock.__name__, (base, stock), {})


@dataclass(frozen=True, slots=True)
class Family:
    """What the project knows about a model family.

    Attributes:
        processor: the stock class without its video processor, which requires torchvision; None: the stock class.
        caches_images: the features of an image do not depend on the other images of a batch, whose images are concatenated, by
            their grid or as tiles of one size (:mod:`vision_zero.policy.vision_cache`).
        shares_prompts: attention over the prompt is causal, and the layers keep nothing of it but keys and values
            (:mod:`vision_zero.training.shared_prefix`).
    """

    processor: type[ProcessorMixin] | None = None
    caches_images: bool = False
    shares_prompts: bool = False


FAMILIES: Mapping[str, Family] = {
    "qwen2_vl": Family(_without_video(Qwen2VLProcessor), caches_images=True),
    "qwen2_5_vl": Family(_without_video(Qwen2_5_VLProcessor), caches_images=True, shares_prompts=True),
    "qwen3_vl": Family(_without_video(Qwen3VLProcessor), caches_images=True, shares_prompts=True),
    "internvl": Family(_without_video(InternVLProcessor, _InternWithoutVideo), caches_images=True, shares_prompts=True),
    "idefics3": Family(shares_prompts=True),
    # For single images SmolVLM2's processor equals that of Idefics3, whose class has no videos.
    "smolvlm": Family(_without_video(Idefics3Processor, _WithoutVideo, "SmolVLMProcessor"), shares_prompts=True),
}
"""By ``model_type`` of the configuration."""
_ANY_OTHER = Family()


def family_of(config: Any) -> Family:
    """The family of a model with this configuration."""
    return FAMILIES.get(config.model_type, _ANY_OTHER)
