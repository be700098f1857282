"""Locations and fingerprints of base models, without loading them, and the shipped shapes of those that the recipes name.

Separate from loading, so that configurations can be checked without importing torch. A shipped shape is a ``config.json`` alone,
for plans where neither model nor hub is at hand; loading a model never reads it.
"""

from __future__ import annotations

import re
from importlib.resources import files
from math import ceil
from pathlib import Path
from typing import Any

from vision_zero.config.policy import NANO
from vision_zero.data.model_files import model_fingerprint

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
CHARACTERS = 4
"""Of English text, in a token of vocabularies of these sizes."""
TEMPLATE_TOKENS = 40
"""What a chat template puts around a prompt, at most."""
SMOLVLM_IMAGE = 81
"""Tokens of an image in SmolVLM where it is not split."""


def nano_folder() -> Path:
    """The embedded policy's folder."""
    return Path(str(files("vision_zero.policy.nano") / "weights"))


def base_path(base: str) -> str:
    """The folder or hub id that a base is loaded from."""
    return str(nano_folder()) if base == NANO else base


def is_on_the_hub(base: str) -> bool:
    """Whether it is a hub id instead of a local folder."""
    return base != NANO and _HUB_ID.fullmatch(base) is not None and not Path(base).is_dir()


def base_fingerprint(base: str, revision: str | None = None) -> str:
    """The fingerprint of its files; see :func:`vision_zero.data.model_files.model_fingerprint`."""
    return model_fingerprint(base_path(base), revision)


def shipped_config(base: str) -> Path | None:
    """The folder with the configuration of a hub id; None if it is none of the recipes'."""
    folder = Path(str(files("vision_zero.policy") / "released")) / base.replace("/", "--")
    return folder if (folder / "config.json").is_file() else None


def estimated_tokens(config: Any, characters: int, size: tuple[int, int]) -> tuple[int, int]:
    """Tokens of a prompt with an image, and of the image alone.

    Args:
        config: the model's.
        characters: of the prompt's text.
        size: of the image, width and height in pixels.
    """
    image = _image_tokens(config, size)
    return ceil(characters / CHARACTERS) + TEMPLATE_TOKENS + image, image


def _image_tokens(config: Any, size: tuple[int, int]) -> int:
    """As the family's processor cuts it: into squares of merged patches, or into a fixed number."""
    fixed = getattr(config, "image_seq_length", None)
    if fixed is not None:
        return int(fixed)
    vision = config.vision_config
    merge = getattr(vision, "spatial_merge_size", None)
    if merge is None:
        return SMOLVLM_IMAGE
    side = vision.patch_size * merge
    width, height = (max(1, round(pixels / side)) for pixels in size)
    return width * height
