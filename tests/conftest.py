"""No network, one thread, and a ZenML of its own for every test session, set before anything heavy is imported.

The checkout's own ``.zen``, with the stack that its user chose, is left alone.
"""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["ZENML_ANALYTICS_OPT_IN"] = "false"
os.environ["ZENML_ENABLE_RICH_TRACEBACK"] = "false"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
os.environ["ZENML_CONFIG_PATH"] = tempfile.mkdtemp(prefix="vision-zero-test-zenml-")
os.environ["ZENML_REPOSITORY_PATH"] = os.environ["ZENML_CONFIG_PATH"]
os.environ["ZENML_CUSTOM_SOURCE_ROOT"] = str(Path(__file__).resolve().parents[1])

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")


def pytest_collection_modifyitems(items):
    """Two workers share the files in this order: what takes minutes first, so that neither waits for the other at the end."""
    slow = {item.path for item in items if item.get_closest_marker("cli") or item.get_closest_marker("zenml")}
    items.sort(key=lambda item: (item.path.name != "test_commands.py", item.path not in slow))


@pytest.fixture(scope="module", autouse=True)
def _what_is_loaded_is_no_garbage():
    """Each stage that a test trains collects garbage, which otherwise looks through all of torch and ZenML every time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory):
    """A folder with a policy of the embedded architecture, much smaller and with random weights."""
    from tests.make import write_tiny_base

    return write_tiny_base(tmp_path_factory.mktemp("tiny-base"))
