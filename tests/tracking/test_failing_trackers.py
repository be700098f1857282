"""A tracker that fails stops nothing: what it misses is returned, and it is warned of once."""

import logging
import sqlite3
import subprocess
import sys

import pytest

from tests.loopback import free_port
from tests.tracking.stores import read
from vision_zero.config.tracking import TrackedRun
from vision_zero.tracking.tracking import TRIES, Tracking


@pytest.fixture
def run(offline, mlflow_folder):
    return TrackedRun(trackers=("tensorboard", "mlflow"), model="my_model", folder=str(offline))


@pytest.fixture
def nobody_there(monkeypatch):
    """MLflow's server is away."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def test_a_server_that_is_away_is_warned_of_once_and_counted(run, offline, nobody_there, caplog):
    caplog.set_level(logging.DEBUG, "vision_zero.tracking.tracking")
    with Tracking(run) as tracking:
        unsent = [tracking.send("train", iteration, {"loss": 1.0}) for iteration in range(1, 6)]
    assert [set(each) for each in unsent] == [{"mlflow"}] * 5
    assert unsent[0]["mlflow"].startswith("MlflowException: API request to http://127.0.0.1")
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 1
    assert "mlflow failed (MlflowException" in warned[0]
    tries = [record for record in caplog.records if record.levelno == logging.DEBUG and record.exc_info]
    assert len(tries) == TRIES, "each may wait for a network: after some it is let alone"
    assert read("tensorboard", offline, run.model).train["loss"] == [(step, 1.0) for step in range(1, 6)]


def test_what_fails_in_the_middle_is_counted_and_what_comes_after_it_is_sent(run, offline):
    def rename(old, new):
        database = sqlite3.connect(offline / "mlflow" / "mlflow.db")
        database.execute(f"ALTER TABLE {old} RENAME TO {new}")
        database.commit()
        database.close()

    with Tracking(run) as tracking:
        first = tracking.send("train", 1, {"loss": 1.0})
        rename("metrics", "elsewhere")
        second = tracking.send("train", 2, {"loss": 1.0})
        rename("elsewhere", "metrics")
        third = tracking.send("train", 3, {"loss": 1.0})
    assert (first, set(second), third) == ({}, {"mlflow"}, {})
    assert read("mlflow", offline, run.model).train["loss"] == [(1, 1.0), (3, 1.0)]


def test_a_folder_that_cannot_be_written_is_counted(run, offline):
    (offline / "tensorboard").write_text("a file where the folder should be")
    with Tracking(run) as tracking:
        unsent = tracking.send("train", 1, {"loss": 1.0})
    assert set(unsent) == {"tensorboard"}
    assert read("mlflow", offline, run.model).train["loss"] == [(1, 1.0)]


def test_no_credential_gets_into_a_reason_or_a_place(run, monkeypatch, nobody_there, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:hunter2secret@127.0.0.1:{free_port()}")
    with Tracking(run) as tracking:
        unsent = tracking.send("train", 1, {"loss": 1.0})
        places = tracking.places()
    assert "hunter2secret" not in f"{unsent} {places} {caplog.text}"
    assert unsent["mlflow"]


def test_no_tracker_is_imported_unless_it_is_asked_for():
    code = """
import sys
from vision_zero.config.tracking import TrackedRun
from vision_zero.tracking.tracking import Tracking
with Tracking(TrackedRun(model="m")) as tracking:
    assert tracking.send("train", 1, {"loss": 1.0}) == {}
print([name for name in ("tensorboard", "wandb", "mlflow", "trackio") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
