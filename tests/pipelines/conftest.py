"""Pipelines run in the repository, whatever folder a test before was in."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="package", autouse=True)
def in_the_repository():
    """ZenML finds steps and cache dependencies below the source root."""
    from zenml.utils import source_utils

    before = Path.cwd()
    os.chdir(ROOT)
    source_utils.set_custom_source_root(str(ROOT))
    yield
    os.chdir(before)
