"""Settings of the policy: which model, what is trained of it, how it speaks."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config
from vision_zero.config.endpoint import VllmConfig

NANO = "nano"
"""``policy.base`` of the embedded policy."""
TrainOn = Literal["language", "vision", "both"]


class AdapterConfig(Config):
    """The low-rank adapter that is trained on top of the frozen base (LoRA, arXiv 2106.09685)."""

    rank: int = Field(64, ge=1, le=1024)
    """Rank of the update of each linear layer."""
    alpha: int = Field(128, ge=1)
    """Scale of the update: alpha / rank."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Dropout on the adapter's input; it would make sampled and trained log-probs differ, so 0 is the default."""
    target_modules: str | tuple[str, ...] = "all-linear"
    """Linear layers that get an adapter, of those that ``policy.train_on`` allows: all, a regular expression of whole names, or
    ends of names. The output layer never gets one."""
    exclude_modules: str | None = None
    """Layers that do not, as a regular expression of whole names."""


class SamplingParams(NamedTuple):
    """How replies of one kind are drawn: the softmax temperature, and tokens at most."""

    temperature: float
    max_tokens: int


class SamplingConfig(Config):
    """How replies are drawn; the log-probs that are trained are scored under the same temperature."""

    temperature: float = Field(1.0, gt=0.0, le=2.0)
    """Softmax temperature."""
    vote_temperature: float | None = Field(None, gt=0.0, le=2.0)
    """That of votes, where it is another one (paper: one for all): votes of one prompt that are all alike teach nothing."""
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    """Nucleus; 1 keeps the whole distribution, as the policy gradient assumes: a recipe that trains is refused with less."""
    max_clue_tokens: int = Field(512, ge=4, le=8192)
    """Longest clue reply, reasoning included."""
    max_vote_tokens: int = Field(512, ge=4, le=8192)
    """Longest vote reply, reasoning included."""
    batch_size: int = Field(64, ge=1)
    """Replies generated at once; a turn with more seats is split."""

    def of(self, kind: Literal["clue", "vote"]) -> SamplingParams:
        """How clues or votes are drawn."""
        if kind == "clue":
            return SamplingParams(self.temperature, self.max_clue_tokens)
        return SamplingParams(self.vote_temperature or self.temperature, self.max_vote_tokens)


class PolicyConfig(Config):
    """The model that plays and learns."""

    base: str = NANO
    """``nano`` (the policy in this package), a local folder, or a hub id of any AutoModelForImageTextToText."""
    revision: str | None = None
    """Revision of a hub id; pin it, so that every run starts from the same weights."""
    dtype: Literal["float32", "bfloat16", "auto"] = "float32"
    """Weights' precision."""
    attention: Literal["auto", "sdpa", "flash_attention_2"] = "auto"
    """Who computes attention: ``auto`` leaves it to transformers, which takes torch's own (sdpa) wherever the model allows it;
    ``flash_attention_2`` needs the package flash-attn, a GPU and half precision."""
    compiled: bool = False
    """Draw tokens by a compiled step, on a GPU as a CUDA graph: a large model then waits for its weights instead of for Python.
    Each number of rows takes a minute at first, and keys and values of a whole batch stay in memory. Needs a C++ compiler; on a
    CPU it is slower."""
    trust_remote_code: bool = False
    """Run code that comes with the model. Off: a model that needs it is refused."""
    pictures: dict[str, Any] = Field(default_factory=dict)
    """Settings of the base's picture processor that differ from its files: ``{max_patches: 1}``, say, so that a picture takes
    fewer tokens."""
    adapter: AdapterConfig | None = AdapterConfig()
    """The adapter that is trained on the frozen base; null: the base's own weights are trained, and a frozen copy of the base is
    kept beside them for the KL."""
    train_on: TrainOn = "language"
    """Which side gets adapters, or is trained: the language side (decoder, and without an adapter its embeddings and output
    layer), the vision side (what reads pictures and brings their features to the decoder), or both."""
    sampling: SamplingConfig = SamplingConfig()
    """How replies are drawn."""
    server: VllmConfig | None = None
    """A vLLM server that draws them; null: this process does."""

    @property
    def backend(self) -> dict[str, Any]:
        """What transformers is told about how to compute."""
        return {} if self.attention == "auto" else {"attn_implementation": self.attention}

    @property
    def source(self) -> dict[str, Any]:
        """What transformers is told about where ``base`` comes from."""
        return {"revision": self.revision, "trust_remote_code": self.trust_remote_code}

    @model_validator(mode="after")
    def _updates_are_not_rounded_away(self) -> Self:
        if self.adapter is None and self.dtype != "float32":
            raise ValueError(
                f"adapter null with dtype {self.dtype} would round most updates away: set dtype float32, and learning.bf16 "
                "for speed"
            )
        return self

    @model_validator(mode="after")
    def _who_draws_is_told_once(self) -> Self:
        if self.server is not None and self.compiled:
            raise ValueError("policy.server draws the replies, so nothing is compiled here: leave compiled out")
        return self

    @model_validator(mode="after")
    def _a_server_gets_adapters(self) -> Self:
        if self.server is not None and (self.adapter is None or self.train_on != "language"):
            raise ValueError("policy.server is handed adapters of the language side alone: set an adapter and train_on language")
        return self
