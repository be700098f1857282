"""How long each step of a run took, and what passed between them: what a pipeline costs beside its work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from vision_zero.config.base import Config

WORK = ("render_scenes", "draw_charts", "edit_photos", "import_pairs", "clue_stage", "decision_stage", "measure_base", "evaluate")
"""Beginnings of the names of the steps that a run is for: making pairs, playing, training, measuring."""


class StepTime(Config):
    """One step, in seconds since the run began."""

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
    """The steps of a run that have ended, by their beginning; steps whose outputs came from the cache are left out."""

    steps: tuple[StepTime, ...]

    @classmethod
    def of(cls, began: datetime, steps: Mapping[str, tuple[datetime, datetime]]) -> RunTimes:
        """From the moments that the orchestrator noted."""
        times = [
            StepTime(name=name, start=(start - began).total_seconds(), end=(end - began).total_seconds())
            for name, (start, end) in steps.items()
        ]
        return cls(steps=tuple(sorted(times, key=lambda step: step.start)))

    @property
    def total(self) -> float:
        """Seconds from the run's beginning to the end of its last step."""
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
        """The share of the total in which no step ran that does work; where steps ran side by side each counts for itself."""
        work = sum(step.seconds for step in self.steps if step.is_work)
        spent = self.between + sum(step.seconds for step in self.steps)
        return 1 - work / spent if spent else 0.0
