"""Settings of an evaluation: who answers, which suites, under which protocol, and what may go into production."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config, RootConfig
from vision_zero.config.endpoint import EndpointConfig, JudgeConfig
from vision_zero.config.evaluation import EvaluationConfig, GateConfig

Look = Literal["full", "compact"]
"""``full``: 320x240 scenes and 480x360 charts with text; ``compact``: the 112x112 pictures of the embedded policy."""
SuiteName = Literal["scenes", "charts", "differences", "odd_one_out", "easy_vqa", "chartqa", "mathvista"]


class SuiteConfig(Config):
    """One suite."""

    name: SuiteName
    """``scenes``, ``charts``, ``differences`` and ``odd_one_out`` are procedural, ``easy_vqa`` is in its package, ``chartqa``
    and ``mathvista`` come from ``source``."""
    look: Look = "full"
    """How the procedural suites draw their pictures, and whether questions ask for short answers (full) or stand alone."""
    items: int = Field(200, ge=1)
    """Items of a procedural suite, or of easy-VQA's 9,673; a larger number begins with the same ones."""
    source: str | None = None
    """ChartQA and MathVista: a hub id, a parquet or JSON file, a folder of them, or a URL (s3://...); None: the official id."""
    split: str | None = None
    """ChartQA and MathVista: the split; None: ``test`` and ``testmini``."""
    revision: str | None = None
    """Revision of a hub data set; pin it, so that scores stay comparable."""
    options: dict[str, Any] = Field(default_factory=dict)
    """ChartQA and MathVista: options of the file system, for example ``{"client_kwargs": {"endpoint_url": "http://..."}}`` for
    s3fs. Credentials come from where its own tools look for them."""


class AnswererConfig(Config):
    """A policy that answers: a base, a base with an adapter, a merged folder, a hub id, or a model behind an endpoint."""

    base: str = "nano"
    """``nano``, a local folder (a merged one, say), or a hub id."""
    adapter: str | None = None
    """Folder of a trained adapter on top of the base."""
    revision: str | None = None
    """Revision of a hub id."""
    dtype: Literal["float32", "bfloat16", "auto"] = "float32"
    """Weights' precision."""
    device: str = "auto"
    """``auto``: the first GPU where there is one; or ``cpu``, ``cuda:1``, …"""
    trust_remote_code: bool = False
    """Run code that comes with the model. Off: a model that needs it is refused."""
    pictures: dict[str, Any] = Field(default_factory=dict)
    """Settings of the base's picture processor that differ from its files."""
    reply_prefix: str = Field("", max_length=200)
    """Words that every reply begins with; the policy goes on from there. For the embedded policy ``I see:`` makes it reason."""
    endpoint: EndpointConfig | None = None
    """An OpenAI-compatible endpoint; then nothing is loaded here, and the protocol's sampling replaces the endpoint's."""

    @property
    def label(self) -> str:
        """A short name for tables."""
        if self.endpoint is not None:
            return self.endpoint.model
        base = Path(self.base).name
        begun = f" begun with {self.reply_prefix}" if self.reply_prefix else ""
        return (base if self.adapter is None else f"{base} + {Path(self.adapter).name}") + begun

    @model_validator(mode="after")
    def _an_endpoint_begins_its_own_replies(self) -> Self:
        if self.endpoint is not None and self.reply_prefix:
            raise ValueError("reply_prefix begins the replies of a policy that is loaded here: leave it out beside endpoint")
        return self


class SamplingProtocol(Config):
    """How replies are drawn; the same for every policy of a comparison."""

    temperature: float = Field(0.0, ge=0.0, le=2.0)
    """0 is greedy: then the seed has no influence."""
    max_tokens: int = Field(512, ge=1, le=32_768)
    """Longest reply."""
    seed: int = 0
    """Seed of sampled replies."""


class SuitesConfig(Config):
    """What a policy is asked, under which protocol, and what it must show beside the policy that it is compared with."""

    suites: tuple[SuiteConfig, ...] = ()
    """What is asked."""
    sampling: SamplingProtocol = SamplingProtocol()
    """How replies are drawn."""
    limit: int | None = Field(None, ge=1)
    """Only the first items of every suite."""
    batch_size: int = Field(16, ge=1)
    """Items asked at once, and recorded together."""
    judge: JudgeConfig | None = None
    """A second model that reads MathVista's answers out of replies; None: rules alone."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples behind each interval."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals."""
    gate: GateConfig = GateConfig()
    """What the policy must show beside the other one."""
    examples: int = Field(4, ge=0, le=50)
    """Right and wrong answers of each suite that the page shows, of each as many."""

    @model_validator(mode="after")
    def _suites_differ(self) -> Self:
        names = [(suite.name, suite.look) for suite in self.suites]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"suites names {' '.join(twice)} twice: each suite has one score")
        return self

    @property
    def statistics(self) -> EvaluationConfig:
        """What the estimates need to know."""
        return EvaluationConfig(resamples=self.resamples, confidence=self.confidence)


class EvaluateConfig(RootConfig, SuitesConfig):
    """An evaluation: any policy on any suites, beside the policy that it is compared with."""

    suites: tuple[SuiteConfig, ...] = Field(min_length=1)
    """What is asked."""
    policy: AnswererConfig = AnswererConfig()
    """Who is measured."""
    base: AnswererConfig | None = None
    """Whom it is compared with; None: its own base where it has an adapter, else nobody."""
    folder: str = "runs/evaluate"
    """Where the records are kept, by suite and policy; a run that was interrupted goes on from them."""

    @property
    def compared_with(self) -> AnswererConfig | None:
        """Whom the policy is compared with."""
        if self.base is None and self.policy.adapter is not None and self.policy.endpoint is None:
            return self.policy.model_copy(update={"adapter": None})
        return self.base
