"""Settings of an evaluation on suites: the policy, the suites, the sampling protocol, and the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.endpoint import EndpointConfig, JudgeConfig
from vision_zero.config.evaluation import EvaluationConfig, GateConfig
from vision_zero.config.suite_registry import SUITES
from vision_zero.config_base import Config, RootConfig, named_in

Look = Literal["full", "compact"]
"""``full``: 320x240 scenes and 480x360 charts with text; ``compact``: 112x112 images, for the embedded policy."""


SuiteName = Annotated[str, named_in(SUITES, "suite")]
"""The name of a registered suite."""


class SuiteConfig(Config):
    """One suite."""

    name: SuiteName
    """``scenes``, ``charts``, ``differences`` and ``odd_one_out`` are procedural, ``easy_vqa`` is in its package, ``chartqa``
    and ``mathvista`` come from ``source``."""
    look: Look = "full"
    """Images of the procedural suites, and whether questions ask for a short answer (``full``) or are given alone
    (``compact``)."""
    items: int = Field(200, ge=1)
    """Number of items of a procedural suite, or of easy-VQA's 9,673; a larger number contains the same first items."""
    source: str | None = None
    """ChartQA and MathVista: a hub id, a parquet or JSON file, a folder of them, or a URL (s3://...); None: the official id."""
    split: str | None = None
    """ChartQA and MathVista: the split; None: ``test`` and ``testmini``."""
    revision: str | None = None
    """Revision of a hub data set; pin it, so that scores stay comparable."""
    options: dict[str, Any] = Field(default_factory=dict)
    """ChartQA and MathVista: options of the file system, for example ``{"client_kwargs": {"endpoint_url": "http://..."}}`` for
    s3fs. Credentials are read where the file system's own tools look for them."""

    @property
    def score_name(self) -> str:
        """Its name in records, in scores and in the gate: ``scenes-compact`` for ``scenes`` in another look than ``full``."""
        return f"{self.name}-{self.look}" if self.look != "full" and SUITES[self.name].is_named_by_look else self.name


class AnswererConfig(Config):
    """A policy to evaluate: a base, a base with an adapter, a merged model, a hub id, or a model behind an endpoint."""

    base: str = "nano"
    """``nano``, a local folder (such as that of a merged model), or a hub id."""
    adapter: str | None = None
    """Folder of a trained adapter on top of the base."""
    revision: str | None = None
    """Revision of a hub id."""
    dtype: Literal["float32", "bfloat16", "auto"] = "float32"
    """Precision of the weights."""
    device: str = "auto"
    """``auto``: the first GPU, if there is one; or ``cpu``, ``cuda:1``, …"""
    trust_remote_code: bool = False
    """Run code that comes with the model. Off: a model that needs it is refused."""
    pictures: dict[str, Any] = Field(default_factory=dict)
    """Overrides for the base's image processor."""
    reply_prefix: str = Field("", max_length=200)
    """Words that every reply is forced to begin with. ``I see:`` makes the embedded policy reason."""
    endpoint: EndpointConfig | None = None
    """An OpenAI-compatible endpoint. Then no model is loaded here, and ``sampling`` replaces the endpoint's own settings."""

    @property
    def label(self) -> str:
        """A short name for tables."""
        if self.endpoint is not None:
            return self.endpoint.model
        base = Path(self.base).name
        begun = f" begun with {self.reply_prefix}" if self.reply_prefix else ""
        return (base if self.adapter is None else f"{base} + {Path(self.adapter).name}") + begun

    @model_validator(mode="after")
    def _an_endpoint_stands_alone(self) -> Self:
        if self.endpoint is None:
            return self
        usual = AnswererConfig()
        for name in type(self).model_fields:
            if name != "endpoint" and getattr(self, name) != getattr(usual, name):
                raise ValueError(f"{name} works only for a policy that is loaded here: leave it out beside endpoint")
        return self


class SamplingProtocol(Config):
    """Sampling, the same for every policy of a comparison."""

    temperature: float = Field(0.0, ge=0.0, le=2.0)
    """0 is greedy; then the seed has no influence."""
    max_tokens: int = Field(512, ge=1, le=32_768)
    """Longest reply."""
    seed: int = 0
    """Seed of sampled replies."""


class SuitesConfig(Config):
    """Suites to evaluate a policy on, the sampling protocol, and the gate against the policy that it is compared with."""

    suites: tuple[SuiteConfig, ...] = ()
    """The suites."""
    sampling: SamplingProtocol = SamplingProtocol()
    """The sampling protocol."""
    limit: int | None = Field(None, ge=1)
    """Use only this many first items of every suite; null: all."""
    batch_size: int = Field(16, ge=1)
    """Items in one batch; their answers are recorded together."""
    judge: JudgeConfig | None = None
    """A second model that extracts MathVista's answers from replies; null: rules only."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples for each interval."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals."""
    gate: GateConfig = GateConfig()
    """Conditions for promotion."""
    examples: int = Field(4, ge=0, le=50)
    """Right answers, and wrong answers, of each suite that the page shows: this many of each."""

    @model_validator(mode="after")
    def _suites_and_gate_fit(self) -> Self:
        scored = [suite.score_name for suite in self.suites]
        twice = next((name for name in scored if scored.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"suites names {twice} twice: each suite has one score")
        for bound in ("must_improve", "required", "exempt"):
            unknown = next((name for name in getattr(self.gate, bound) if name not in scored), None)
            if scored and unknown is not None:
                raise ValueError(f"gate.{bound} names {unknown}, which is not evaluated here: its suites are {', '.join(scored)}")
        return self

    @property
    def statistics(self) -> EvaluationConfig:
        """The settings for the intervals."""
        return EvaluationConfig(resamples=self.resamples, confidence=self.confidence)


class EvaluateConfig(RootConfig, SuitesConfig):
    """An evaluation of any policy on any suites, beside another policy."""

    suites: tuple[SuiteConfig, ...] = Field(min_length=1)
    """The suites."""
    policy: AnswererConfig = AnswererConfig()
    """The policy to evaluate."""
    base: AnswererConfig | None = None
    """The policy to compare with; null: the base of ``policy`` if that has an adapter, else no comparison."""
    folder: str = "runs/evaluate"
    """Folder of the records, by suite and policy; an interrupted run continues from them."""

    @property
    def compared_with(self) -> AnswererConfig | None:
        """The policy to compare with."""
        if self.base is None and self.policy.adapter is not None and self.policy.endpoint is None:
            return self.policy.model_copy(update={"adapter": None})
        return self.base
