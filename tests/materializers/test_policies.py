"""Stored policies: what was changed, cut off or smuggled in is refused; nothing in them can be executed."""

import atexit
import json
from pathlib import Path

import pytest

from materializers.model_folder import ModelFolderMaterializer
from materializers.policy import PolicyMaterializer
from tests.make import write_tiny_adapter
from vision_zero.errors import ArtifactError, PolicyError
from vision_zero.policy.folder import TRAINING_FILES, BaseFolder, PolicyFolder

pytestmark = pytest.mark.zenml

STORED = {PolicyMaterializer: "adapter_model.safetensors", ModelFolderMaterializer: "model.safetensors"}
"""What each stores, and its weights."""


@pytest.fixture
def stored(request, tiny_base, tmp_path):
    """A stored policy or base: its materializer, and the folder in the store."""
    from zenml.client import Client

    store = Client().active_stack.artifact_store
    folder = Path(store.path) / "tests" / tmp_path.name
    folder.mkdir(parents=True)
    materializer = request.param(uri=str(folder), artifact_store=store)
    if request.param is ModelFolderMaterializer:
        materializer.save(BaseFolder(tiny_base))
    else:
        trained = write_tiny_adapter(tiny_base, tmp_path / "policy")
        for name in TRAINING_FILES:
            (trained / name).write_text("{}")
        materializer.save(PolicyFolder(trained))
    return materializer, folder


both = pytest.mark.parametrize("stored", STORED, indirect=True, ids=["policy", "base"])


@both
def test_what_was_stored_is_loaded(stored):
    materializer, folder = stored
    loaded = materializer.load(materializer.ASSOCIATED_TYPES[0])
    name = STORED[type(materializer)]
    assert (loaded.path / name).read_bytes() == (folder / name).read_bytes()


@both
def test_what_was_loaded_leaves_no_folder_when_the_process_ends(stored, monkeypatch):
    at_the_end = []
    monkeypatch.setattr(atexit, "register", lambda *call, **options: at_the_end.append((call, options)))
    materializer, _ = stored
    folder = materializer.load(materializer.ASSOCIATED_TYPES[0]).path
    for (act, *arguments), options in at_the_end:
        act(*arguments, **options)
    assert not folder.exists()


@both
def test_a_changed_file_is_refused(stored):
    materializer, folder = stored
    weights = folder / STORED[type(materializer)]
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(PolicyError, match="was changed after it was stored"):
        materializer.load(materializer.ASSOCIATED_TYPES[0])


@both
@pytest.mark.parametrize("contents", [None, "", "{ half", "[]", '{"model.safetensors": 3}', '{"gone.json": "0"}'])
def test_contents_that_are_missing_or_no_contents_are_refused_in_one_line(stored, contents):
    materializer, folder = stored
    if contents is None:
        (folder / "contents.json").unlink()
    else:
        (folder / "contents.json").write_text(contents)
    with pytest.raises((PolicyError, ArtifactError)) as caught:
        materializer.load(materializer.ASSOCIATED_TYPES[0])
    assert "\n" not in str(caught.value)


@both
@pytest.mark.parametrize("name", ["../outside.safetensors", "/tmp/outside.safetensors", "run_me.py", "weights.bin", "sub/x.json"])
def test_names_that_leave_the_folder_or_hold_code_are_never_written(stored, name):
    materializer, folder = stored
    contents = json.loads((folder / "contents.json").read_text())
    (folder / "contents.json").write_text(json.dumps({name: "0", **contents}))
    if isinstance(materializer, ModelFolderMaterializer):
        with pytest.raises(PolicyError, match="may not be in a policy's folder"):
            materializer.load(BaseFolder)
    else:
        loaded = materializer.load(PolicyFolder)
        assert {path.name for path in loaded.path.rglob("*")} == set(contents)


def test_the_preview_of_a_card_leaves_out_the_hubs_head(stored_policy):
    materializer, loaded = stored_policy
    (loaded.path / "README.md").write_text("---\nbase_model: nano\ntags: [lora]\n---\n# A policy\n\n---\nIts end.\n")
    (page,) = materializer.save_visualizations(loaded)
    assert Path(page).read_text() == "# A policy\n\n---\nIts end.\n"


@pytest.fixture
def stored_policy(tiny_base, tmp_path):
    from zenml.client import Client

    store = Client().active_stack.artifact_store
    folder = Path(store.path) / "tests" / tmp_path.name
    folder.mkdir(parents=True)
    return PolicyMaterializer(uri=str(folder), artifact_store=store), PolicyFolder(
        write_tiny_adapter(tiny_base, tmp_path / "policy")
    )


@both
def test_a_store_that_fails_is_one_line(stored, monkeypatch):
    materializer, folder = stored
    loaded = materializer.load(materializer.ASSOCIATED_TYPES[0])

    def lost(*_):
        raise ConnectionError("the line\nwent down")

    monkeypatch.setattr(materializer.artifact_store, "open", lost)
    for aim, act in (("fetched", lambda: materializer.load(type(loaded))), ("stored", lambda: materializer.save(loaded))):
        with pytest.raises(ArtifactError, match=f"^{folder}/\\S+ cannot be {aim}: the line went down; what earlier") as caught:
            act()
        assert "\n" not in str(caught.value)
