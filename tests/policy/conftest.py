"""What tests of vLLM servers share."""

import pytest

from tests.make import write_tiny_adapter


@pytest.fixture
def shared(tmp_path):
    """Where adapters are handed over."""
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def trained(tiny_base, tmp_path_factory):
    """An adapter on the tiny base."""
    return write_tiny_adapter(tiny_base, tmp_path_factory.mktemp("adapter"))
