"""Settings of the warm start: supervised fine-tuning (SFT) of the embedded policy on procedural images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.config.renamed import with_present_names
from vision_zero.config_base import Config, RootConfig, Weight
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.randomness import HELD_OUT_SEEDS

Topic = Literal[
    "list", "order", "question", "check", "clue", "vote", "chart list", "chart question", "chart look-up", "difference"
]
Shown = Literal["scene", "two scenes", "chart"]


def shown_of(topic: Topic) -> Shown:
    """What the image of a topic's examples shows."""
    if topic.startswith("chart"):
        return "chart"
    return "two scenes" if topic == "difference" else "scene"


class Phase(Config):
    """A phase of the curriculum with one mix of training examples."""

    steps: int = Field(ge=1)
    """Optimiser steps."""
    topics: dict[Topic, Weight]
    """Relative frequency of each topic."""
    examples_per_picture: int = Field(2, ge=1)
    """Examples about each image of a step."""
    learning_rate: float | None = Field(None, gt=0.0)
    """Peak learning rate of a phase with an optimiser and schedule of its own; null: the phase shares those of the first
    phases."""
    reasoned: float = Field(0.25, ge=0.0, le=1.0)
    """Share of the examples whose answer begins with reasoning; the others are answered directly. Lists have one form."""
    scene_pairs: tuple[int, int] | None = None
    """Range of scene pairs that its examples are about (end exclusive); null: all pairs."""

    @property
    def shown(self) -> set[Shown]:
        """What the images of its examples show."""
        return {shown_of(topic) for topic, weight in self.topics.items() if weight > 0}

    @model_validator(mode="after")
    def _has_topics_and_pairs(self) -> Self:
        if not any(self.topics.values()):
            raise ValueError("topics must give at least one topic a weight above 0")
        if self.scene_pairs is not None and not 0 <= self.scene_pairs[0] < self.scene_pairs[1]:
            raise ValueError("scene_pairs must be the first pair and the one after the last, such as [0, 26000]")
        return self


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Phases that share one optimiser and one learning-rate schedule; the next ones start from its exported weights."""

    first_step: int
    """Number of its first step among all steps."""
    phases: tuple[Phase, ...]
    learning_rate: float
    """Peak learning rate."""
    steady: float
    """Share of its steps after which the learning rate begins to fall."""

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return sum(phase.steps for phase in self.phases)


class WarmStartConfig(RootConfig):
    """How the embedded policy is trained."""

    seed: int = Field(2026, ge=0, lt=HELD_OUT_SEEDS.start)
    """Seed of weights, images and examples."""
    start_from: str | None = None
    """Folder of the policy to start from, with its tokenizer, or ``nano``; null: random weights and a new tokenizer."""
    max_pixels: int | None = Field(None, ge=112 * 112)
    """Area of the largest image that the policy sees unreduced; null: that of ``start_from``, or 112x112. Every image of more
    pixels is scaled down to it, every one of less than 112x112 up."""
    scenes: ScenesConfig = NANO_SCENES
    """Scenes of the training examples."""
    charts: ChartsConfig = ChartsConfig(style="compact")
    """Charts of the training examples."""
    scene_pairs: int = Field(60_000, ge=1)
    """Scene pairs; an example is about one of the two images, and the other provides false statements."""
    chart_pairs: int = Field(15_000, ge=0)
    """Chart pairs."""
    pairs_per_file: int = Field(1000, ge=1)
    """Pairs in one file on disk; after an interruption, rendering continues with the next file."""
    phases: tuple[Phase, ...] = Field(min_length=1)
    """The curriculum: phases in order."""
    pictures_per_step: int = Field(32, ge=1)
    """Images in one optimiser step; each is encoded once for all its examples."""
    learning_rate: float = Field(1.5e-3, gt=0.0)
    """AdamW's peak learning rate of phases without one of their own."""
    warmup: float = Field(0.02, ge=0.0, lt=1.0)
    """Share of a schedule's steps over which the learning rate rises."""
    steady: float = Field(0.3, ge=0.0, lt=1.0)
    """Share of the first schedule's steps after which the learning rate falls along a cosine; in later ones it falls after
    warm-up."""
    weight_decay: float = Field(0.05, ge=0.0)
    """AdamW's weight decay."""
    compile: bool = False
    """Use torch.compile, which needs a C++ compiler; on a CPU a step takes 60 % of the time."""
    checkpoint_every: int = Field(500, ge=1)
    """Steps between checkpoints, from which an interrupted warm start resumes."""
    tokenizer_examples: int = Field(8000, ge=100)
    """Examples whose text the tokenizer is trained on."""
    exam_pairs: int = Field(200, ge=4)
    """Held-out evaluation: pairs."""
    exam_questions: int = Field(100, ge=1)
    """Held-out evaluation: questions of each family, about scenes and about charts."""
    exam_lists: int = Field(1000, ge=4)
    """Held-out evaluation: scenes to list; two hundred cannot separate 94 % from 96 % right shapes."""
    folder: str = "runs/warm_start"
    """Folder for images, checkpoints and the finished policy."""

    @property
    def steps(self) -> int:
        """Optimiser steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def fine_tunings(self) -> tuple[FineTuning, ...]:
        """The phases with the common schedule, then each phase with its own."""
        common = tuple(phase for phase in self.phases if phase.learning_rate is None)
        fine_tunings = [FineTuning(0, common, self.learning_rate, self.steady)] if common else []
        first_step = sum(phase.steps for phase in common)
        for phase in self.phases[len(common) :]:
            assert phase.learning_rate is not None
            fine_tunings.append(FineTuning(first_step, (phase,), phase.learning_rate, self.warmup))
            first_step += phase.steps
        return tuple(fine_tunings)

    @model_validator(mode="after")
    def _phases_fit(self) -> Self:
        own = [phase.learning_rate is not None for phase in self.phases]
        if own != sorted(own):
            raise ValueError("phases with a learning_rate of their own must come after those without")
        last = max((phase.scene_pairs[1] for phase in self.phases if phase.scene_pairs is not None), default=0)
        if last > self.scene_pairs:
            raise ValueError(f"a phase uses scene pairs up to {last}, but scene_pairs makes only {self.scene_pairs}")
        if self.scenes.edits.get("remove") and self.scenes.max_changes == self.scenes.min_objects:
            raise ValueError("scenes.max_changes must be smaller than min_objects: of an empty scene nothing can be said")
        if not self.chart_pairs and any("chart" in phase.shown for phase in self.phases):
            raise ValueError("a phase has topics of charts, but chart_pairs is 0: set it, or leave these topics out")
        return self

    @model_validator(mode="before")
    @classmethod
    def _old_names_are_read(cls, data: Any) -> Any:
        return with_present_names(data, "warm_start")
