"""What is kept of cached results is looked at before they are used."""

from types import SimpleNamespace

import pytest
from zenml.config.source import Source, SourceType

from materializers import lost_results


@pytest.mark.parametrize("module", ["elsewhere.materializers", "materializers.pairs"])
def test_results_of_a_materializer_that_is_not_here_are_lost_with_their_folder(monkeypatch, module):
    """In a project that others use, too, one of their steps may have the name of a cached one, and code that is not here."""
    store = SimpleNamespace(exists=lambda path: path == "here")
    monkeypatch.setattr(lost_results, "Client", lambda: SimpleNamespace(active_stack=SimpleNamespace(artifact_store=store)))
    source = Source(module=module, attribute="GoneMaterializer", type=SourceType.USER)
    found = [lost_results._is_lost(SimpleNamespace(uri=uri, materializer=source)) for uri in ("here", "gone")]
    assert found == [False, True]
