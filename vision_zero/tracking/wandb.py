"""Weights & Biases: a run with the model's name as its id in project ``vision-zero``, or ``WANDB_PROJECT``.

Login, server, project and offline mode are those of W&B's own variables. Console output and code are not sent.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

import wandb
from transformers.integrations.integration_utils import WandbCallback

from vision_zero.config.tracking import TrackedRun, TrackerName
from vision_zero.errors import ReportError
from vision_zero.tracking.sender import COUNT, PROJECT, Kind, Ledger, Sender, run_name
from vision_zero.tracking.table import Table

STEP = "train/global_step"
"""transformers' axis of all curves."""
SECONDS_TO_BEGIN, SECONDS_TO_END = 60.0, 60.0
"""How long training waits for the server at most, instead of for ever."""


class WandbSender(Sender):
    """Continues the run with the model's id."""

    name: ClassVar[TrackerName] = "wandb"

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        identifier = os.environ.get("WANDB_RUN_ID") or run_name(run.model)
        self._ledger = Ledger.of(run, self.name, identifier)
        settings = wandb.Settings(
            silent=True,
            console="off",
            disable_code=True,
            init_timeout=SECONDS_TO_BEGIN,
            finish_timeout=SECONDS_TO_END,
            finish_timeout_raises=True,
            reinit="finish_previous",
        )
        _check_login()
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            id=identifier,
            name=run.model,
            resume="allow",
            dir=os.environ.get("WANDB_DIR") or run.folder,
            config=run.settings,
            allow_val_change=True,
            settings=settings,
        )
        self._run.define_metric(STEP)
        self._run.define_metric("*", step_metric=STEP, step_sync=True)
        self.callback = _RunIsOpen()

    @property
    def place(self) -> str:
        return str(self._run.url or self._run.dir)

    def last(self, kind: Kind) -> int:
        on_server = self._run.summary.get(f"{kind}/{COUNT}") or 0
        return max(int(on_server), self._ledger.last(kind))

    def has_sent(self, kind: Kind, iteration: int) -> None:
        self._ledger.put(kind, iteration)

    def show(self, iteration: int, table: Table) -> None:
        rows = [list(row) for row in table.rows]
        self._run.log({table.name: wandb.Table(columns=list(table.columns), data=rows, allow_mixed_types=True), STEP: iteration})

    def close(self) -> None:
        self._run.finish()


class _RunIsOpen(WandbCallback):
    """transformers' callback in a run that is open already.

    Its own ``setup``, which may be overridden, begins one for each training, and sends all arguments, local paths among them.
    """

    def setup(self, args: Any, state: Any, model: Any, **kwargs: Any) -> None:
        self._initialized = True


def _check_login() -> None:
    """W&B would ask for a key, and wait, where there is a terminal.

    Raises:
        ReportError: it is neither logged in nor offline.
    """
    if wandb.setup().settings.mode == "online" and wandb.run is None and not wandb.login(prompt=False):
        raise ReportError("W&B is not logged in: run wandb login, or set WANDB_API_KEY or WANDB_MODE=offline")
