"""Settings of the policy: which model, what is trained of it, how it speaks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from vision_zero.config.base import Config


class AdapterConfig(Config):
    """The low-rank adapter that is trained on top of the frozen base (LoRA, arXiv 2106.09685)."""

    rank: int = Field(64, ge=1, le=1024)
    """Rank of the update of each linear layer."""
    alpha: int = Field(128, ge=1)
    """Scale of the update: alpha / rank."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout on the adapter's input; it would make sampled and trained log-probs differ, so 0 is the default."""
    target_modules: str | tuple[str, ...] = "all-linear"
    """Layers that get an adapter."""
    exclude_modules: str | None = r".*(visual|vision|connector|projector|merger|lm_head).*"
    """Layers that do not, as a regular expression: by default the vision side and the output layer."""


class SamplingConfig(Config):
    """How replies are drawn; the log-probs that are trained are scored under the same temperature."""

    temperature: float = Field(1.0, gt=0.0, le=2.0)
    """Softmax temperature."""
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    """Nucleus; 1 keeps the whole distribution, which is what the policy gradient assumes."""
    max_clue_tokens: int = Field(512, ge=4, le=8192)
    """Longest clue reply, reasoning included."""
    max_vote_tokens: int = Field(512, ge=4, le=8192)
    """Longest vote reply, reasoning included."""
    batch_size: int = Field(64, ge=1)
    """Replies generated at once; a turn with more seats is split."""


class PolicyConfig(Config):
    """The model that plays and learns."""

    base: str = "nano"
    """``nano`` (the policy in this package), a local folder, or a hub id of any AutoModelForImageTextToText."""
    revision: str | None = None
    """Revision of a hub id; pin it, so that every run starts from the same weights."""
    dtype: Literal["float32", "bfloat16", "auto"] = "float32"
    """Weights' precision."""
    trust_remote_code: bool = False
    """Run code that comes with the model. Off: a model that needs it is refused."""
    pictures: dict[str, Any] = Field(default_factory=dict)
    """Settings of the base's picture processor that differ from its files: ``{max_patches: 1}``, say, so that a picture takes
    fewer tokens."""
    adapter: AdapterConfig = AdapterConfig()
    """What is trained."""
    sampling: SamplingConfig = SamplingConfig()
    """How replies are drawn."""
