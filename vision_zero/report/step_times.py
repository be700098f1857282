"""Duration of each step of a run and of the time between steps: the overhead of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from vision_zero.config.base import Config
from vision_zero.domains.registry import DOMAINS

WORK = (*(domain.step for domain in DOMAINS.values()), "clue_stage", "decision_stage", "measure_base", "evaluate")
"""Prefixes of the names of steps that do a run's work: making pairs, playing, training, evaluating."""


class StepTime(Config):
    """One step, in seconds since the start of the run."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def is_work(self) -> bool:
        return self.name.startswith(WORK)


class RunTimes(Config):
    """The finished steps of a run in order of their start, without cached ones."""

    steps: tuple[StepTime, ...]

    @classmethod
    def of(cls, began: datetime, steps: Mapping[str, tuple[datetime, datetime]]) -> RunTimes:
        """Steps from the orchestrator's start and end times."""
        times = [
            StepTime(name=name, start=(start - began).total_seconds(), end=(end - began).total_seconds())
            for name, (start, end) in steps.items()
        ]
        return cls(steps=tuple(sorted(times, key=lambda step: step.start)))

    @property
    def total(self) -> float:
        """Seconds from the start of the run to the end of its last step."""
        return max((step.end for step in self.steps), default=0.0)

    @property
    def between(self) -> float:
        """Seconds in which no step ran."""
        waited, until = 0.0, 0.0
        for step in self.steps:
            waited += max(0.0, step.start - until)
            until = max(until, step.end)
        return waited

    @property
    def overhead(self) -> float:
        """Share of the total time in which no working step ran; parallel steps count separately."""
        work = sum(step.seconds for step in self.steps if step.is_work)
        spent = self.between + sum(step.seconds for step in self.steps)
        return 1 - work / spent if spent else 0.0
