"""Configurations of the released models that the recipes name, as files: for plans where neither model nor hub is at hand.

Each is the shape alone, ``config.json`` without weights, tokenizer or processor. Loading a model never reads them.
"""

from __future__ import annotations

from importlib.resources import files
from math import ceil
from pathlib import Path
from typing import Any

CHARACTERS = 4
"""Of English text, in a token of vocabularies of these sizes."""
TEMPLATE_TOKENS = 40
"""What a chat template puts around a prompt, at most."""
SMOLVLM_PICTURE = 81
"""Tokens of a picture in SmolVLM where it is not split."""


def shipped_config(base: str) -> Path | None:
    """The folder with the configuration of a hub id; None if it is none of the recipes'."""
    folder = Path(str(files("vision_zero.policy") / "released")) / base.replace("/", "--")
    return folder if (folder / "config.json").is_file() else None


def estimated_tokens(config: Any, characters: int, size: tuple[int, int]) -> tuple[int, int]:
    """Tokens of a prompt with a picture, and of the picture alone.

    Args:
        config: the model's.
        characters: of the prompt's text.
        size: of the picture, width and height in pixels.
    """
    picture = _picture_tokens(config, size)
    return ceil(characters / CHARACTERS) + TEMPLATE_TOKENS + picture, picture


def _picture_tokens(config: Any, size: tuple[int, int]) -> int:
    """As the family's processor cuts it: into squares of merged patches, or into a fixed number."""
    fixed = getattr(config, "image_seq_length", None)
    if fixed is not None:
        return int(fixed)
    vision = config.vision_config
    merge = getattr(vision, "spatial_merge_size", None)
    if merge is None:
        return SMOLVLM_PICTURE
    side = vision.patch_size * merge
    width, height = (max(1, round(pixels / side)) for pixels in size)
    return width * height
