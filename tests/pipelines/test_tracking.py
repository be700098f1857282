"""Two runs through ZenML on a stack with an MLflow component: one tracker run that goes on, where the component says."""

from pathlib import Path

import pytest

from tests.make import write_tiny_recipe
from tests.tracking.stores import read

pytestmark = pytest.mark.zenml

MODEL = "vision_zero_tracked"


@pytest.fixture(scope="module")
def tracked_stack():
    """The default stack with an experiment tracker of flavor mlflow beside it; its database is in the artifact store."""
    from zenml.client import Client
    from zenml.enums import StackComponentType

    client = Client()
    before = client.active_stack
    tracker = client.create_stack_component("followed", "mlflow", StackComponentType.EXPERIMENT_TRACKER, configuration={})
    parts = {
        StackComponentType.ORCHESTRATOR: before.orchestrator.id,
        StackComponentType.ARTIFACT_STORE: before.artifact_store.id,
        StackComponentType.EXPERIMENT_TRACKER: tracker.id,
    }
    client.create_stack("tracked", parts)
    client.activate_stack("tracked")
    yield Path(before.artifact_store.path)
    client.activate_stack(before.id)


def test_two_runs_are_one_run_in_each_tracker(tracked_stack, tiny_base, tmp_path, monkeypatch):
    from pipelines.self_play import self_play

    for name in ("TENSORBOARD_LOGGING_DIR", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    file = write_tiny_recipe(tmp_path / "tiny.yaml", tiny_base, MODEL, {"tracking": ["tensorboard", "mlflow"]})
    runs = [self_play.with_options(config_path=str(file))() for _ in range(2)]
    state = runs[1].steps["switch_stage_1"].outputs["stage_state"][0].load()
    assert [record.iteration for record in state.history] == [0, 1, 2, 3]

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tracked_stack / 'mlflow.db'}")
    for tracker in ("tensorboard", "mlflow"):
        found = read(tracker, tmp_path / "runs", MODEL)
        assert found.runs == 1
        assert found.train["kl"] == [(record.iteration + 1, pytest.approx(record.metrics["kl"])) for record in state.history]
        assert [step for step, _ in found.eval["decision/accuracy"]] == [2, 4]
        assert [step for step, _ in found.eval["alarm/plateau"]] == [2, 4]
        assert set(found.tables["replay"]) == {2, 4}
    assert not (tmp_path / "runs" / "mlflow").exists(), "the component says where"

    page = (tmp_path / "runs" / runs[1].name / "report.html").read_text()
    assert page.count("2 of 2 iterations sent") == 2
    shown = runs[1].steps["report"].run_metadata["tracking"]
    assert "2 of 2 iterations sent" in shown["mlflow"]
