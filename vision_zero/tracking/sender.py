"""What all trackers have in common: metrics go through transformers' callback, under its names, and nothing goes twice."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from transformers import TrainerControl, TrainerState

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.tracking import TrackedRun, TrackerName
from vision_zero.tracking.table import Table

Kind = Literal["train", "eval"]
"""Metrics of iterations, and of a run's end: transformers' two groups of names."""
PREFIX: Mapping[Kind, str] = {"train": "", "eval": "eval_"}
"""By which transformers' callbacks tell the two apart."""
COUNT = "iteration"
"""The metric, of either kind, that holds the number of iterations done: what is there already is found by it."""
PROJECT = "vision-zero"
"""Where a tracker groups runs, unless its own variable names another group."""


class Sender(ABC):
    """One tracker, with the run of a model in it open: to continue where it is there, else new."""

    name: ClassVar[TrackerName]
    callback: Any
    """transformers' callback for this tracker."""

    def __init__(self, run: TrackedRun) -> None:
        self.run = run

    @final
    def send(self, kind: Kind, iteration: int, metrics: Mapping[str, float]) -> bool:
        """Send the metrics after so many iterations; False where the tracker has that iteration already."""
        if iteration <= self.last(kind):
            return False
        self.begin(kind, iteration)
        named = {f"{PREFIX[kind]}{name}": value for name, value in {**metrics, COUNT: float(iteration)}.items()}
        state = TrainerState(global_step=iteration, is_world_process_zero=True)
        self.callback.on_log(None, state, TrainerControl(), logs=named)
        self.has_sent(kind, iteration)
        return True

    @property
    @abstractmethod
    def place(self) -> str:
        """Where to look at the run."""

    @abstractmethod
    def last(self, kind: Kind) -> int:
        """The last iteration of which the tracker has metrics of this kind; 0 for none, and where it replaces what it has."""

    def begin(self, kind: Kind, iteration: int) -> None:  # noqa: B027 - most trackers need no preparation
        """Called before metrics are sent."""

    def has_sent(self, kind: Kind, iteration: int) -> None:  # noqa: B027 - most trackers can be asked
        """Remember what was sent, where the tracker cannot be asked."""

    @abstractmethod
    def show(self, iteration: int, table: Table) -> None:
        """Send a table."""

    @abstractmethod
    def close(self) -> None:
        """Write what is not yet written, and leave the run, so that it can be continued."""


def run_name(model: str) -> str:
    """A model's name in the letters that names of runs and folders may have."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", model) or "model"


@dataclass(frozen=True)
class Ledger:
    """The last iterations that were sent, for trackers that cannot be asked for them while offline: one file a tracker and model,
    ``<runs folder>/tracking/<model>.<tracker>.json``; without it everything is sent anew."""

    path: Path

    @classmethod
    def of(cls, run: TrackedRun, tracker: TrackerName, run_id: str) -> Ledger:
        return cls(Path(run.folder) / "tracking" / f"{run_id}.{tracker}.json")

    def last(self, kind: str) -> int:
        """The last iteration of that kind that was sent; 0 for none."""
        return int(self._read().get(kind, 0))

    def put(self, kind: str, iteration: int) -> None:
        """Remember an iteration."""
        write_atomically(self.path, json.dumps(self._read() | {kind: iteration}))

    def _read(self) -> dict[str, int]:
        if not self.path.is_file():
            return {}
        found: dict[str, int] = json.loads(self.path.read_text(encoding="utf-8"))
        return found
