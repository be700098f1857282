"""How our steps are cached: a hit needs the same inputs by content, the same parameters, and the same code of the library."""

from __future__ import annotations

from pathlib import Path

from zenml.config.cache_policy import CachePolicy

_ROOT = Path(__file__).resolve().parent.parent


def cached(*packages: str) -> CachePolicy:
    """Reuse a step's outputs unless a file of these packages has changed.

    ZenML looks at the step function alone; an edit in the library would otherwise go unnoticed.
    """
    files = sorted(
        str(path.relative_to(_ROOT))
        for package in packages
        for path in (_ROOT / package).rglob("*")
        if path.suffix in (".py", ".j2", ".json", ".safetensors")
    )
    return CachePolicy(include_artifact_ids=False, file_dependencies=files)
