"""Small documents in the store: what was stored is loaded and shown, and a store that fails is one line."""

from importlib import import_module
from pathlib import Path

import pytest

from materializers.documents import StageStateMaterializer
from materializers.pairs import FILE, PairTableMaterializer
from materializers.shards import PairShardsMaterializer
from vision_zero.config.learning import SwitchConfig
from vision_zero.data.shards import PairShards
from vision_zero.data.table import PairTable
from vision_zero.errors import ArtifactError
from vision_zero.training.state import StageState

pytestmark = pytest.mark.zenml

STATE = StageState.at_start(SwitchConfig())


@pytest.fixture
def materializer(tmp_path):
    from zenml.client import Client

    store = Client().active_stack.artifact_store
    folder = Path(store.path) / "tests" / tmp_path.name
    folder.mkdir(parents=True)
    return StageStateMaterializer(uri=str(folder), artifact_store=store)


def test_what_was_stored_is_loaded_and_shown(materializer):
    materializer.save(STATE)
    assert materializer.load(StageState) == STATE
    (page,) = materializer.save_visualizations(STATE)
    assert "<h1>Training curves</h1>" in Path(page).read_text()


def test_a_store_that_fails_is_one_line(materializer, monkeypatch):
    materializer.save(STATE)

    def lost(*_):
        raise ConnectionError("the line\nwent down")

    monkeypatch.setattr(materializer.artifact_store, "open", lost)
    for aim, act in (("fetched", lambda: materializer.load(StageState)), ("stored", lambda: materializer.save(STATE))):
        with pytest.raises(ArtifactError, match=rf"/data_v2.json cannot be {aim}: the line went down; what earlier") as caught:
            act()
        assert "\n" not in str(caught.value)


def test_a_store_that_fails_to_list_shards_is_one_line(materializer, monkeypatch, tmp_path):
    shards = PairShardsMaterializer(uri=materializer.uri, artifact_store=materializer.artifact_store)
    shards.save(PairShards(tmp_path))

    def lost(*_):
        raise ConnectionError("the line\nwent down")

    for name in ("listdir", "makedirs"):
        monkeypatch.setattr(materializer.artifact_store, name, lost)
    for aim, act in (("fetched", lambda: shards.load(PairShards)), ("stored", lambda: shards.save(PairShards(tmp_path)))):
        with pytest.raises(ArtifactError, match=f"/pairs cannot be {aim}: the line went down; what earlier"):
            act()


def test_what_is_missing_is_one_line(materializer):
    with pytest.raises(ArtifactError, match=r"cannot be fetched: .*; it is gone from the artifact store: run again"):
        materializer.load(StageState)


@pytest.mark.parametrize("broken", [b"", b'{"stage": "dec', b'{"stage": "deciding"}', b"\xff\xfe"])
def test_a_document_that_is_broken_is_one_line_and_its_step_runs_again(materializer, broken, monkeypatch):
    forgotten = []
    monkeypatch.setattr("materializers.files.forget_result_at", forgotten.append)
    materializer.save(STATE)
    (Path(materializer.uri) / "data_v2.json").write_bytes(broken)
    with pytest.raises(ArtifactError, match=r"/data_v2\.json is broken: .*; run again, and a step whose result") as caught:
        materializer.load(StageState)
    assert "\n" not in str(caught.value)
    assert forgotten == [materializer.uri]


def test_a_broken_table_of_pairs_is_one_line_and_its_step_runs_again(materializer, monkeypatch):
    forgotten = []
    monkeypatch.setattr("materializers.files.forget_result_at", forgotten.append)
    tables = PairTableMaterializer(uri=materializer.uri, artifact_store=materializer.artifact_store)
    (Path(materializer.uri) / FILE).write_bytes(b"PAR1 and no more")
    with pytest.raises(ArtifactError, match=r"/pairs\.parquet is broken: .*; run again, and a step whose result"):
        tables.load(PairTable)
    assert forgotten == [materializer.uri]


def test_every_result_of_a_step_has_a_materializer_of_this_project_or_is_plain():
    """What none is registered for, ZenML would pickle."""
    from zenml.materializers.materializer_registry import materializer_registry
    from zenml.steps import BaseStep
    from zenml.types import HTMLString

    import pipelines.recipes  # noqa: F401 - registers the materializers

    outputs = {
        kind
        for path in (Path(__file__).parents[2] / "steps").glob("*.py")
        for step in vars(import_module(f"steps.{path.stem}")).values()
        if isinstance(step, BaseStep)
        for annotation in step.entrypoint_definition.outputs.values()
        for kind in annotation.get_output_types()
    }
    stored = {kind: materializer_registry[kind].__module__.partition(".")[0] for kind in outputs - {int, str, HTMLString}}
    assert len(stored) > 10
    assert set(stored.values()) == {"materializers"}
