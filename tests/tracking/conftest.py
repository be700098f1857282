"""Trackers whose files go into the test's own folder, and that send nothing."""

import shutil

import pytest

from tests.tracking.stores import TRACKERS, importorskip
from vision_zero.config.tracking import TrackedRun


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No tracker reaches out, and none writes elsewhere."""
    for name in ("TENSORBOARD_LOGGING_DIR", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    return tmp_path


@pytest.fixture(params=TRACKERS)
def tracked(request, offline):
    """A run with one tracker: each in turn, as far as they are installed."""
    importorskip(request.param)
    if request.param in ("mlflow", "trackio"):
        request.getfixturevalue(f"{request.param}_folder")
    return TrackedRun(trackers=(request.param,), model="my_model", folder=str(offline), settings={"seed": 3})


@pytest.fixture
def trackio_folder(offline, monkeypatch):
    """trackio reads its folder's name when it is imported."""
    import trackio.utils
    from trackio import sqlite_storage

    for module in (trackio.utils, sqlite_storage):
        monkeypatch.setattr(module, "TRACKIO_DIR", offline / "trackio")


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory):
    """A database with MLflow's tables, which it takes seconds to make."""
    import mlflow

    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def mlflow_folder(offline, mlflow_database):
    """Where MLflow writes by default, with its tables."""
    (offline / "mlflow").mkdir()
    shutil.copy(mlflow_database, offline / "mlflow")
