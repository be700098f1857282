"""Where the files of a base are, and what tells its weights from others without loading them.

Apart from what loads them, so that configurations can be read without torch.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

NANO = "nano"
_ENDS = 1 << 20
"""Bytes at both ends of a file of weights that its fingerprint is taken from."""


def nano_folder() -> Path:
    """The embedded policy's folder."""
    return Path(str(files("vision_zero.policy.nano") / "weights"))


def base_path(base: str) -> str:
    """The folder or hub id that a base is loaded from."""
    return str(nano_folder()) if base == NANO else base


def fingerprints(*folders: str) -> list[str]:
    """The fingerprint of each of these that is a folder here, and nothing for a hub id: there a revision tells."""
    return [fingerprint(Path(folder)) for folder in folders if Path(folder).is_dir()]


def fingerprint(folder: Path) -> str:
    """Eight hexadecimal digits from the names, sizes and ends of a folder's safetensors and from its configuration.

    Whole files would be safer and take half a minute for a 7 B model; training changes every part of a file.
    """
    total = hashlib.blake2b(digest_size=4)
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*config.json")]):
        size = path.stat().st_size
        total.update(f"{path.name}:{size}:".encode())
        with path.open("rb") as file:
            total.update(file.read(_ENDS))
            file.seek(max(size - _ENDS, 0))
            total.update(file.read(_ENDS))
    return total.hexdigest()
