"""Sending to a run's trackers. A tracker that fails is warned of once and counted, and never stops what it follows."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from vision_zero.config.tracking import TrackedRun, TrackerName
from vision_zero.credentials import holds_credential
from vision_zero.errors import first_line

if TYPE_CHECKING:
    from vision_zero.tracking.sender import Kind, Sender
    from vision_zero.tracking.table import Table

SENDERS: Mapping[TrackerName, str] = {
    "tensorboard": "TensorBoardSender",
    "wandb": "WandbSender",
    "mlflow": "MLflowSender",
    "trackio": "TrackioSender",
}
"""Classes, each in the module of this package that has the tracker's name."""
TRIES = 3
"""After so many failures in a row a tracker is let alone until the next stage: each may have waited for a network."""
ALREADY_THERE = "it has that iteration already"
Unsent = dict[TrackerName, str]
"""Why trackers did not get something."""
Done = TypeVar("Done")
_LOGGER = logging.getLogger(__name__)


class _Failure(Enum):
    """In the place of what an act returns."""

    FAILED = "failed"


class Tracking:
    """The trackers of a run. Each is opened, and its package imported, with the first thing that is sent."""

    def __init__(self, run: TrackedRun) -> None:
        self.run = run
        self._open: dict[TrackerName, Sender] = {}
        self._in_a_row: Counter[TrackerName] = Counter()
        self._reason: Unsent = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def send(self, kind: Kind, iteration: int, metrics: Mapping[str, float], *tables: Table) -> Unsent:
        """Send metrics after so many iterations, and tables, which go where the metrics go.

        Returns:
            The trackers that did not get them, and why in one line.
        """

        def all_of_it(sender: Sender) -> bool:
            is_new = sender.send(kind, iteration, metrics)
            for table in tables if is_new else ():
                sender.show(iteration, table)
            return is_new

        unsent: Unsent = {}
        for name in self.run.trackers:
            done = self._tried(name, all_of_it) if self._in_a_row[name] < TRIES else _Failure.FAILED
            if isinstance(done, _Failure):
                unsent[name] = self._reason[name]
            elif not done:
                unsent[name] = ALREADY_THERE
        return unsent

    def places(self) -> dict[TrackerName, str]:
        """Where to look at the run, of each tracker that is open; without credentials."""
        found = {name: self._tried(name, lambda sender: sender.place) for name in self._open}
        return {name: place for name, place in found.items() if isinstance(place, str) and not holds_credential(place)}

    def close(self) -> Unsent:
        """Leave the trackers' runs, so that they can be continued.

        Returns:
            The trackers that could not be left in time, and so may not have all that they were sent.
        """
        late = [name for name in self._open if isinstance(self._tried(name, lambda sender: sender.close()), _Failure)]
        self._open.clear()
        return {name: self._reason[name] for name in late}

    def _tried(self, name: TrackerName, act: Callable[[Sender], Done]) -> Done | _Failure:
        """Do something with a tracker, whatever comes of it: what a tracker raises is known to nobody but itself."""
        try:
            done = act(self._opened(name))
        except Exception as error:
            _LOGGER.debug("tracking: %s failed", name, exc_info=True)
            self._count(name, error)
            return _Failure.FAILED
        self._in_a_row[name] = 0
        return done

    def _opened(self, name: TrackerName) -> Sender:
        if name not in self._open:
            kind = getattr(import_module(f"{__package__}.{name}"), SENDERS[name])
            self._open[name] = kind(self.run)
        return self._open[name]

    def _count(self, name: TrackerName, error: Exception) -> None:
        """Remember a failure in one line, and warn of the first; a library's message may quote a credential."""
        said = first_line(error)[:200]
        reason = type(error).__name__ if holds_credential(said) else f"{type(error).__name__}: {said}"
        if name not in self._reason:
            _LOGGER.warning("tracking: %s failed (%s); the run goes on, and its report counts what is missing", name, reason)
        self._reason[name] = reason
        self._in_a_row[name] += 1
