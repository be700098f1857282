"""TensorBoard: event files in ``<runs folder>/tensorboard/<model>``, or below ``TENSORBOARD_LOGGING_DIR``.

An iteration that is trained again replaces what an earlier run wrote of it and of later ones, as TensorBoard has it for a
training that was restarted.
"""

from __future__ import annotations

import os
import time
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from tensorboard.backend.event_processing.directory_watcher import DirectoryDeletedError
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator
from torch.utils.tensorboard import SummaryWriter
from transformers.integrations.integration_utils import TensorBoardCallback

from vision_zero.config.tracking import TrackedRun, TrackerName
from vision_zero.tracking.sender import COUNT, Kind, Sender, run_name
from vision_zero.tracking.table import Table


class TensorBoardSender(Sender):
    """Adds event files to the folder of the model's run."""

    name: ClassVar[TrackerName] = "tensorboard"

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        root = os.environ.get("TENSORBOARD_LOGGING_DIR") or f"{run.folder}/{self.name}"
        self.folder = f"{root.rstrip('/')}/{run_name(run.model)}"
        self.callback = TensorBoardCallback()
        self._has_trained = False

    @property
    def place(self) -> str:
        return self.folder

    def last(self, kind: Kind) -> int:
        return 0 if kind == "train" else self._last_measured

    @cached_property
    def _last_measured(self) -> int:
        """Of scores, which come after the training of their iteration and must not replace it."""
        events = EventAccumulator(self.folder, size_guidance={SCALARS: 0})
        try:
            events.Reload()
        except DirectoryDeletedError:  # or not made yet
            return 0
        name = f"eval/{COUNT}"
        return int(max((event.value for event in events.Scalars(name)), default=0)) if name in events.Tags()[SCALARS] else 0

    def begin(self, kind: Kind, iteration: int) -> None:
        """The first iteration that is trained makes all void that earlier event files hold from it on."""
        if kind == "train" and not self._has_trained:
            self.close()
            self._open(purge_step=iteration)
            self._has_trained = True
        self._writer()

    def has_sent(self, kind: Kind, iteration: int) -> None:
        if kind == "eval":
            self._last_measured = iteration

    def show(self, iteration: int, table: Table) -> None:
        self._writer().add_text(table.name, table.as_markdown(), iteration)
        self._writer().flush()

    def close(self) -> None:
        if self.callback.tb_writer is not None:
            self.callback.tb_writer.close()
            self.callback.tb_writer = None

    def _writer(self) -> Any:
        if self.callback.tb_writer is None:
            self._open()
        return self.callback.tb_writer

    def _open(self, purge_step: int | None = None) -> None:
        """Begin an event file. They are read in the order of their names, which hold the second and then a number that is not
        padded: of two within a second the later one must not come first."""
        before = self._files()
        writer = SummaryWriter(log_dir=self.folder, purge_step=purge_step)
        own = self._files() - before
        if own and before and min(own) < max(before):
            writer.close()
            for file in own:
                file.unlink()
            time.sleep(1)
            writer = SummaryWriter(log_dir=self.folder, purge_step=purge_step)
        self.callback.tb_writer = writer

    def _files(self) -> set[Path]:
        """Event files, where the folder is on this machine."""
        return set(Path(self.folder).glob("events.out.tfevents.*"))
