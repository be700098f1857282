"""Locations and fingerprints of base models, without loading them.

Separate from loading, so that configurations can be checked without importing torch.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from vision_zero.config.policy import NANO
from vision_zero.data.remote_storage import address_failures
from vision_zero.fingerprints import digest, of_folder

_HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WAIT_S = 10.0
"""Timeout of a request to the hub in seconds; after it the local cache is used, as in loading."""


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
    """Fingerprint of a folder's files, or of the commit that a hub id currently resolves to.

    For a hub id that neither the hub nor the local cache knows, of the name; such a base cannot be loaded, either.
    """
    path = Path(base_path(base))
    return fingerprint(path) if path.is_dir() else digest(base, revision or "", _commit(base, revision))[:16]


def fingerprint(folder: Path) -> str:
    """Sixteen hexadecimal digits of a folder's files: weights, tokenizer, chat template, processor, settings."""
    return of_folder(folder)[:16]


def _commit(base: str, revision: str | None) -> str:
    """The commit of a hub id, from the hub, else from the local cache; empty if neither has it."""
    if revision and _COMMIT.fullmatch(revision):
        return revision
    # Imported here, since it takes a second and most bases are folders.
    from huggingface_hub import HfApi, try_to_load_from_cache  # noqa: PLC0415

    try:
        return str(HfApi().model_info(base, revision=revision, timeout=_WAIT_S).sha or "")
    except address_failures():
        pass
    try:
        kept = try_to_load_from_cache(base, "config.json", revision=revision)
    except ValueError:
        return ""
    return Path(kept).parent.name if isinstance(kept, str) else ""
