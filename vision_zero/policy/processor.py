"""Processors that turn images and chat messages into a policy's inputs, with equal results with and without torchvision.

Families whose stock processor needs torchvision have one of their own (:mod:`vision_zero.policy.families`). transformers resizes
images with torchvision if it is installed and with Pillow otherwise, which gives different pixels: here it is always Pillow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoProcessor,
)

from vision_zero.errors import PolicyError
from vision_zero.policy.families import VIDEO_SETTINGS, family_of
from vision_zero.policy.transformers_adapter import file_if_there

_CUTS = ("truncation", "max_length", "stride")
"""Settings in some tokenizers' files that would silently truncate prompts."""


_NOT_SAVED = ("is_local", "local_files_only")
"""Setting into which transformers writes where a tokenizer was loaded from."""


def load_processor(path: str, images: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """The processor of a policy's folder or hub id, with left padding and without truncation.

    A tokenizer without a padding token pads with its end token.

    Args:
        images: overrides for the settings of its image processor.

    Raises:
        PolicyError: the image processor has no such setting, or the tokenizer has no end token.
    """
    own: Any = family_of(AutoConfig.from_pretrained(path, **options)).processor
    processor = (own or AutoProcessor).from_pretrained(path, padding_side="left", **options)
    processor.image_processor = AutoImageProcessor.from_pretrained(path, backend="pil", **options)
    unknown = [name for name in images or {} if not hasattr(processor.image_processor, name)]
    if unknown:
        raise PolicyError(
            f"policy.pictures.{unknown[0]} is no setting of {type(processor.image_processor).__name__}: "
            "look into the preprocessor_config.json or processor_config.json of policy.base for those that it has"
        )
    if images:
        processor.image_processor = AutoImageProcessor.from_pretrained(path, backend="pil", **options, **images)
    if processor.tokenizer.eos_token is None:
        raise PolicyError("the tokenizer has no end token: name it as eos_token in its tokenizer_config.json")
    if processor.tokenizer.pad_token is None:
        # Padding is always masked, so its token does not matter.
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    if own is not None:
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
