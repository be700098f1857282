"""MLflow: a run with the model's name in experiment ``vision-zero``, or ``MLFLOW_EXPERIMENT_NAME``.

Where is MLflow's own affair (``MLFLOW_TRACKING_URI``); where nothing says it, a database below the runs folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import mlflow
from mlflow import MlflowClient
from transformers.integrations.integration_utils import MLflowCallback

from vision_zero.config.tracking import TrackedRun, TrackerName
from vision_zero.tracking.sender import COUNT, PREFIX, PROJECT, Kind, Sender
from vision_zero.tracking.table import Table

MODEL_TAG = "vision_zero.model"
"""Tag of the run, by which it is found again: MLflow gives runs ids of its own."""
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""Unless they are set: MLflow's own would let training wait for minutes for a server that is away."""
_DATABASE = "sqlite:///"


class MLflowSender(Sender):
    """Continues the run with the model's tag."""

    name: ClassVar[TrackerName] = "mlflow"

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        os.environ.update({name: value for name, value in PATIENCE.items() if name not in os.environ})
        self._has_own_place = not mlflow.is_tracking_uri_set()
        if self._has_own_place:
            folder = Path(run.folder).absolute() / self.name
            folder.mkdir(parents=True, exist_ok=True)
            mlflow.set_tracking_uri(f"{_DATABASE}{folder / 'mlflow.db'}")
        elif not mlflow.get_tracking_uri():  # an empty one, which others leave behind, hides the variable
            mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
        experiment = _experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT)
        self._client = MlflowClient()
        self._id = self._continued(experiment)
        self.callback = _RunIsOpen()
        if run.settings:
            mlflow.log_dict(run.settings, "recipe.json")

    def _continued(self, experiment: str) -> str:
        tag = self.run.model.replace("'", "")
        found = self._client.search_runs(
            [experiment], f"tags.`{MODEL_TAG}` = '{tag}'", max_results=1, order_by=["attributes.start_time ASC"]
        )
        nested = mlflow.active_run() is not None
        if found:
            begun = mlflow.start_run(run_id=found[0].info.run_id, nested=nested)
        else:
            begun = mlflow.start_run(run_name=self.run.model, experiment_id=experiment, tags={MODEL_TAG: tag}, nested=nested)
        return str(begun.info.run_id)

    @property
    def place(self) -> str:
        return f"{mlflow.get_tracking_uri()}, run {self._id}"

    def last(self, kind: Kind) -> int:
        return int(self._client.get_run(self._id).data.metrics.get(f"{PREFIX[kind]}{COUNT}", 0))

    def show(self, iteration: int, table: Table) -> None:
        by_column = {name: [row[place] for row in table.rows] for place, name in enumerate(table.columns)}
        mlflow.log_table(by_column, f"{table.name}/iteration-{iteration:05d}.json")

    def close(self) -> None:
        mlflow.end_run()
        if self._has_own_place:
            mlflow.set_tracking_uri(None)


class _RunIsOpen(MLflowCallback):
    """transformers' callback in a run that is open already: its own ``setup`` would add one for each training, and parameters of
    the second that differ from those of the first are an error in MLflow. What fails is to be known at once, not at the end."""

    def setup(self, args: Any, state: Any, model: Any) -> None:
        self._async_log = False
        self._initialized = True


def _experiment(name: str) -> str:
    """The experiment's id. Beside a database that no server stands before, artifacts go into the database's folder."""
    found = mlflow.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    uri = mlflow.get_tracking_uri()
    artifacts = None
    if uri.startswith(_DATABASE):
        artifacts = (Path(uri.removeprefix(_DATABASE)).absolute().parent / "mlflow_artifacts").as_uri()
    return str(mlflow.create_experiment(name, artifact_location=artifacts))
