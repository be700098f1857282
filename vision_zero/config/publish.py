"""Settings of publishing a promoted policy."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator

from vision_zero.config_base import RootConfig


class PublishConfig(RootConfig):
    """What is published, and where."""

    model: str
    """Name of the model in ZenML's registry: ``model.name`` of the recipe that trained it."""
    version: str = "production"
    """``production``, or a version's number."""
    target: str = "runs/published"
    """A folder, ``s3://bucket/path``, or ``hub:owner/name``. Tokens and credentials come from the environment."""
    form: Literal["merged", "adapter"] = "merged"
    """``merged``: a full model that needs no peft; ``adapter``: the LoRA weights only, for users who have the base."""
    revision: str | None = None
    """Revision of the base, if it is a hub id: the one that was trained on."""
    base: str | None = None
    """Where users find the base, if the recipe names ``nano`` or a local folder: a hub id, or their path."""
    dtype: Literal["float32", "bfloat16", "auto"] = "float32"
    """Precision of a merged model's weights; ``auto``: the base's. The adapter is merged in float32, and the sum is rounded
    once."""
    max_rounding: float = Field(0.05, ge=0.0)
    """Largest rounding error of ``dtype``, as a share of the change by training; above it nothing is published."""
    trust_remote_code: bool = False
    """Run code that comes with the base. Off: a base that needs it is refused."""
    license: str = "apache-2.0"
    """Licence in the model card; the licence of the base also applies."""
    limits: str = ""
    """Additional text for the section on limits of the model card."""
    private: bool = True
    """Create a private repository on the hub."""
    replace: bool = False
    """Replace a policy that was published at the target before; other files are kept."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the target's file system, for example ``{"client_kwargs": {"endpoint_url": "http://..."}}`` for s3fs."""

    @field_validator("target")
    @classmethod
    def _names_a_place(cls, target: str) -> str:
        if not target.strip():
            raise ValueError("target is empty: name a folder, s3://bucket/path or hub:owner/name")
        if target.startswith("hub:") and not re.fullmatch(r"hub:[^/\s]+/[^/\s]+", target):
            raise ValueError(f"{target!r} does not name a repository: write hub:owner/name")
        if re.match(r"hf:|https?://", target):
            raise ValueError(f"{target!r} is no place to publish to: for the hub write hub:owner/name")
        if re.match(r"[A-Za-z0-9]{2,}:/(?!/)", target):
            raise ValueError(f"{target!r} is neither a folder nor a URL: write {target.replace(':/', '://', 1)!r}")
        return target
