"""Settings of the policy: the model, which weights are trained, and sampling."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config_base import Config

NANO = "nano"
"""``policy.base`` of the embedded policy."""
TrainOn = Literal["language", "vision", "both"]


class AdapterConfig(Config):
    """The low-rank adapter that is trained on the frozen base (LoRA, arXiv 2106.09685)."""

    rank: int = Field(64, ge=1, le=1024)
    """Rank of the update of each linear layer."""
    alpha: int = Field(128, ge=1)
    """Scale of the update: alpha / rank."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout on the adapter's input. Above 0 the log-probs in training differ from those in sampling."""
    target_modules: str | tuple[str, ...] = "all-linear"
    """Linear layers with an adapter, among those of ``policy.train_on``: ``all-linear``, a regular expression that matches full
    names, or suffixes of names. The output layer never has one."""
    exclude_modules: str | None = None
    """Layers without an adapter: a regular expression that matches full names."""

    @field_validator("target_modules", "exclude_modules")
    @classmethod
    def _is_a_pattern(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if isinstance(value, str):
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"{value!r} is not a regular expression: {error}") from error
        return value


class SamplingParams(NamedTuple):
    """Sampling parameters of clues or votes: softmax temperature, and the largest number of tokens."""

    temperature: float
    max_tokens: int


class SamplingConfig(Config):
    """How replies are sampled; log-probs in training are computed at the same temperature."""

    temperature: float = Field(1.0, gt=0.0, le=2.0)
    """Softmax temperature."""
    vote_temperature: float | None = Field(None, gt=0.0, le=2.0)
    """Temperature of votes; null: as ``temperature`` (paper). Raise it if most votes of a prompt are equal: equal votes give no
    policy gradient."""
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    """Nucleus sampling. Training needs 1, the full distribution, as the policy gradient assumes; less is refused."""
    max_clue_tokens: int = Field(512, ge=4, le=8192)
    """Longest clue reply, reasoning included."""
    max_vote_tokens: int = Field(512, ge=4, le=8192)
    """Longest vote reply, reasoning included."""
    batch_size: int = Field(64, ge=1)
    """Replies generated in one batch; larger turns are split."""

    def of(self, kind: Literal["clue", "vote"]) -> SamplingParams:
        """Sampling parameters of clues or votes."""
        if kind == "clue":
            return SamplingParams(self.temperature, self.max_clue_tokens)
        return SamplingParams(self.vote_temperature or self.temperature, self.max_vote_tokens)


class PolicyConfig(Config):
    """The model that plays and is trained."""

    base: str = NANO
    """``nano`` (the policy in this package), a local folder, or a hub id of any AutoModelForImageTextToText."""
    revision: str | None = None
    """Revision of a hub id. Pin it, so that every run starts from the same weights."""
    dtype: Literal["float32", "bfloat16", "auto"] = "float32"
    """Precision of the weights."""
    attention: Literal["auto", "sdpa", "flash_attention_2"] = "auto"
    """Attention implementation: ``auto`` leaves it to transformers, which uses torch's sdpa if the model allows it;
    ``flash_attention_2`` needs the package flash-attn, a GPU and half precision."""
    compiled: bool = False
    """Compile the decoding step (on a GPU into a CUDA graph), which removes the Python overhead per layer. Each batch size takes
    about a minute to compile, and the KV cache of a full batch stays in memory. Needs a C++ compiler; slower on a CPU."""
    trust_remote_code: bool = False
    """Run code that comes with the model. Off: a model that needs it is refused."""
    pictures: dict[str, Any] = Field(default_factory=dict)
    """Overrides for the base's image processor, such as ``{max_patches: 1}``, so that an image takes fewer tokens."""
    adapter: AdapterConfig | None = AdapterConfig()
    """The adapter that is trained on the frozen base. Null: full fine-tuning, with a frozen copy of the base as the reference of
    the KL."""
    train_on: TrainOn = "language"
    """What gets adapters, or is fine-tuned: ``language`` (the decoder; without an adapter also embeddings and output layer),
    ``vision`` (the encoder and the projector to the decoder), or both."""
    sampling: SamplingConfig = SamplingConfig()
    """How replies are sampled."""
    server: VllmConfig | None = None
    """A vLLM server that samples the replies; null: this process samples them."""

    @property
    def backend(self) -> dict[str, Any]:
        """Keyword arguments of ``from_pretrained`` for the attention implementation."""
        return {} if self.attention == "auto" else {"attn_implementation": self.attention}

    @property
    def source(self) -> dict[str, Any]:
        """Keyword arguments of ``from_pretrained`` for revision and remote code."""
        return {"revision": self.revision, "trust_remote_code": self.trust_remote_code}

    @model_validator(mode="after")
    def _weights_and_server_fit(self) -> Self:
        if self.adapter is None and self.dtype != "float32":
            raise ValueError(
                f"adapter null with dtype {self.dtype} would round most updates away: set dtype float32, and learning.bf16 "
                "for speed"
            )
        if self.server is not None and self.compiled:
            raise ValueError("policy.server samples the replies, so no decoding step runs here: leave compiled out")
        if self.server is not None and self.adapter is not None and self.train_on != "language":
            raise ValueError(
                "policy.server accepts only adapters of the language model: set train_on language, or adapter null to train all "
                "weights"
            )
        return self
