"""Locations and fingerprints of base models, without loading them.

Separate from loading, so that configurations can be checked without importing torch.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from vision_zero.config.policy import NANO
from vision_zero.data.model_files import model_fingerprint

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


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
