"""trackio: a run with the model's name in project ``vision-zero``, or ``TRACKIO_PROJECT``.

Where is trackio's own affair: ``TRACKIO_SPACE_ID``, ``TRACKIO_SERVER_URL``, or the folder ``TRACKIO_DIR`` of this machine.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

import trackio
from transformers.integrations.integration_utils import TrackioCallback, rewrite_logs

from vision_zero.config.tracking import TrackedRun, TrackerName
from vision_zero.tracking.sender import PROJECT, Kind, Ledger, Sender, run_name
from vision_zero.tracking.table import Table, as_plain_text


class TrackioSender(Sender):
    """Continues the run of the model's name."""

    name: ClassVar[TrackerName] = "trackio"

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        self._project = os.environ.get("TRACKIO_PROJECT") or PROJECT
        self._ledger = Ledger.of(run, self.name, run_name(run.model))
        self._run = trackio.init(
            project=self._project, name=run_name(run.model), resume="allow", config=run.settings, embed=False, auto_log_cpu=False
        )
        self.callback = _RunIsOpen()

    @property
    def place(self) -> str:
        return f"project {self._project}, run {self._run.name}"

    def last(self, kind: Kind) -> int:
        return self._ledger.last(kind)

    def has_sent(self, kind: Kind, iteration: int) -> None:
        self._ledger.put(kind, iteration)

    def show(self, iteration: int, table: Table) -> None:
        # trackio renders the cells as Markdown.
        rows = [[as_plain_text(cell) if isinstance(cell, str) else cell for cell in row] for row in table.rows]
        trackio.log({table.name: trackio.Table(columns=list(table.columns), data=rows)}, step=iteration)

    def close(self) -> None:
        trackio.finish()


class _RunIsOpen(TrackioCallback):
    """transformers' callback in a run that is open already; steps are iterations instead of a count of trackio's own."""

    def setup(self, args: Any, state: Any, model: Any, **kwargs: Any) -> None:
        self._initialized = True

    def on_log(self, args: Any, state: Any, control: Any, model: Any = None, logs: Any = None, **kwargs: Any) -> None:
        self._trackio.log({**rewrite_logs(logs), "train/global_step": state.global_step}, step=state.global_step)
