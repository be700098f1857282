"""Settings of the warm start, which makes the embedded policy from nothing but procedural pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config, RootConfig
from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.config.pairs import ChartsConfig, ScenesConfig
from vision_zero.randomness import HELD_OUT_SEEDS

Topic = Literal[
    "list",
    "order",
    "question",
    "check",
    "clue",
    "vote",
    "chart list",
    "chart question",
    "chart look-up",
]
Weight = Annotated[float, Field(ge=0.0)]


class Phase(Config):
    """A stretch of the warm start with one mix of lessons."""

    steps: int = Field(ge=1)
    """Optimiser steps."""
    topics: dict[Topic, Weight]
    """Relative frequency of each topic."""
    lessons_per_picture: int = Field(2, ge=1)
    """Lessons about each picture of a step."""
    learning_rate: float | None = Field(None, gt=0.0)
    """Peak rate of a phase that is a course of its own; None: the phase belongs to the first course, with the common rate."""
    reasoned: float = Field(0.25, ge=0.0, le=1.0)
    """Share of the lessons that are answered reasoned, with evidence; the others are answered directly. Lists have one form."""
    scene_pairs: tuple[int, int] | None = None
    """First scene pair and the one after the last that its lessons are about; None: all pairs."""

    @model_validator(mode="after")
    def _some_topic_has_weight(self) -> Self:
        if not any(self.topics.values()):
            raise ValueError("topics must give at least one topic a weight above 0")
        return self

    @model_validator(mode="after")
    def _some_scene_pairs(self) -> Self:
        if self.scene_pairs is not None and not 0 <= self.scene_pairs[0] < self.scene_pairs[1]:
            raise ValueError("scene_pairs must be the first pair and the one after the last, such as [0, 26000]")
        return self


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Phases with one optimiser and one rise and fall of the learning rate; the next course starts from what ships of it."""

    first_step: int
    """Number of its first step among the steps of all courses."""
    phases: tuple[Phase, ...]
    learning_rate: float
    """Peak."""
    steady: float
    """Share of its steps after which the rate begins to fall."""

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return sum(phase.steps for phase in self.phases)


class WarmStartConfig(RootConfig):
    """How the embedded policy is taught."""

    seed: int = Field(2026, ge=0, lt=HELD_OUT_SEEDS.start)
    """Seed of weights, pictures and lessons."""
    start_from: str | None = None
    """Folder of the policy that the first course goes on from, with its tokenizer; None: random weights and a new tokenizer."""
    scenes: ScenesConfig = NANO_SCENES
    """Scenes that the lessons are about."""
    charts: ChartsConfig = ChartsConfig(style="compact")
    """Charts that the lessons are about."""
    scene_pairs: int = Field(60_000, ge=1)
    """Scene pairs; a lesson is about one of the two pictures, the other provides false statements."""
    chart_pairs: int = Field(15_000, ge=0)
    """Chart pairs."""
    pairs_per_file: int = Field(1000, ge=1)
    """Pairs in one file on disk: after an interruption, drawing goes on with the next file."""
    phases: tuple[Phase, ...] = Field(min_length=1)
    """What is taught, in order."""
    pictures_per_step: int = Field(32, ge=1)
    """Pictures in one optimiser step; each is encoded once for all its lessons."""
    learning_rate: float = Field(1.5e-3, gt=0.0)
    """AdamW's peak learning rate in the first course."""
    warmup: float = Field(0.02, ge=0.0, lt=1.0)
    """Share of a course's steps over which the learning rate rises."""
    steady: float = Field(0.3, ge=0.0, lt=1.0)
    """Share of the first course's steps after which it begins to fall along a cosine; in later courses it falls at once."""
    weight_decay: float = Field(0.05, ge=0.0)
    """AdamW's weight decay."""
    compile: bool = False
    """Compile the policy with torch.compile, which needs a C++ compiler: a step takes six tenths of the time on a CPU."""
    checkpoint_every: int = Field(500, ge=1)
    """Steps between checkpoints, from which an interrupted warm start goes on."""
    tokenizer_lessons: int = Field(8000, ge=100)
    """Lessons whose text the tokenizer is trained on."""
    exam_pairs: int = Field(200, ge=4)
    """Held-out pairs that the policy is examined on afterwards."""
    exam_questions: int = Field(100, ge=1)
    """Questions of each family that it is asked there, about scenes and about charts."""
    exam_lists: int = Field(1000, ge=4)
    """Held-out scenes that it lists there: two hundred cannot tell shapes of 94 % from shapes of 96 %."""
    folder: str = "runs/warm_start"
    """Where pictures, checkpoints and the finished policy are kept."""

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def courses(self) -> tuple[FineTuning, ...]:
        """The phases that share the common rate, then each phase with a rate of its own."""
        common = tuple(phase for phase in self.phases if phase.learning_rate is None)
        courses = [FineTuning(0, common, self.learning_rate, self.steady)] if common else []
        first_step = sum(phase.steps for phase in common)
        for phase in self.phases[len(common) :]:
            assert phase.learning_rate is not None
            courses.append(FineTuning(first_step, (phase,), phase.learning_rate, self.warmup))
            first_step += phase.steps
        return tuple(courses)

    @model_validator(mode="after")
    def _own_rates_come_last(self) -> Self:
        own = [phase.learning_rate is not None for phase in self.phases]
        if own != sorted(own):
            raise ValueError("phases with a learning_rate of their own must come after those without")
        return self

    @model_validator(mode="after")
    def _phases_have_their_pairs(self) -> Self:
        last = max((phase.scene_pairs[1] for phase in self.phases if phase.scene_pairs is not None), default=0)
        if last > self.scene_pairs:
            raise ValueError(f"a phase teaches scene pairs up to {last}, but scene_pairs draws only {self.scene_pairs}")
        return self
