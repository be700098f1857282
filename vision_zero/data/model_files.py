"""Fingerprints of models by their files, without loading them."""

from __future__ import annotations

import re
from pathlib import Path

from vision_zero.data.remote_storage import address_failures
from vision_zero.fingerprints import digest, of_folder

_COMMIT = re.compile(r"[0-9a-f]{40}")
_WAIT_S = 10.0
"""Seconds that the hub has for its answer; then the copy in the local cache decides, as it does when the model is loaded."""


def model_fingerprint(model: str, revision: str | None = None) -> str:
    """Fingerprint of a folder's files, or of the commit that a hub id currently resolves to.

    For a hub id that neither the hub nor the local cache knows, of the name alone: it cannot be loaded either.
    """
    path = Path(model)
    return fingerprint(path) if path.is_dir() else digest(model, revision or "", _commit(model, revision))[:16]


def fingerprint(folder: Path) -> str:
    """Sixteen hexadecimal digits of a folder's files: weights, tokenizer, chat template, processor, settings."""
    return of_folder(folder)[:16]


def _commit(base: str, revision: str | None) -> str:
    """The commit of a hub id: as the hub says, else of the copy that is here; nothing where neither is to be had."""
    if revision and _COMMIT.fullmatch(revision):
        return revision
    # Loaded here, for it takes a second and most bases are folders.
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
