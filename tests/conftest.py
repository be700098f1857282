"""No network, one thread, and a ZenML of its own for every test session, set before anything heavy is imported.

The checkout's own ``.zen``, with the stack that its user chose, is left alone.
"""

from __future__ import annotations

import atexit
import gc
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["ZENML_ANALYTICS_OPT_IN"] = "false"
os.environ["ZENML_ENABLE_RICH_TRACEBACK"] = "false"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
# Its database is written some 700 times a run, each time to the disk: in memory that takes no time.
os.environ["ZENML_CONFIG_PATH"] = tempfile.mkdtemp(
    prefix="vision-zero-test-zenml-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None
)

os.environ["ZENML_REPOSITORY_PATH"] = os.environ["ZENML_CONFIG_PATH"]
os.environ["ZENML_CUSTOM_SOURCE_ROOT"] = str(Path(__file__).resolve().parents[1])

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
atexit.register(shutil.rmtree, os.environ["ZENML_CONFIG_PATH"], ignore_errors=True)
# The same examples each time, and no clock; --hypothesis-profile=random looks for new ones.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, max_examples=2000)
settings.load_profile("fixed")


def pytest_ignore_collect(collection_path, config):
    """A module whose mark is left out is not even imported: what it imports takes seconds, too."""
    if collection_path.suffix != ".py" or not re.fullmatch(r"not \w+( and not \w+)*", config.option.markexpr):
        return None
    left_out = set(config.option.markexpr.split()) - {"not", "and"}
    own = re.search(r"^pytestmark = (.*)$", collection_path.read_text(encoding="utf-8"), re.MULTILINE)
    return True if own and left_out & set(re.findall(r"pytest\.mark\.(\w+)", own[1])) else None


def pytest_collection_modifyitems(items):
    """Two workers share the files in this order: what takes minutes first, so that neither waits for the other at the end."""
    marks = ("zenml", "cli", "slow")
    first = {mark: {item.path for item in items if item.get_closest_marker(mark)} for mark in marks}
    items.sort(key=lambda item: (item.path.name != "test_commands.py", *(item.path not in first[mark] for mark in marks)))


@pytest.fixture(scope="module", autouse=True)
def _what_is_loaded_is_no_garbage():
    """Each stage that a test trains collects garbage, which otherwise looks through all of torch and ZenML every time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _what_zenml_has_loaded_is_no_garbage(request):
    """It loads more in each run, and each run collects garbage four times."""
    if request.node.get_closest_marker("zenml"):
        gc.freeze()


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory):
    """A folder with the commands python, zenml and vision-zero that start at once: see tests/preloaded."""
    from tests.preloaded.interpreter import start

    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp()
    return start((shared.parent if is_worker else shared) / "preloaded", os.getppid() if is_worker else os.getpid())


@pytest.fixture
def preloaded_python(preloaded, monkeypatch):
    """The processes that the library starts with its own interpreter start at once."""
    monkeypatch.setattr(sys, "executable", str(preloaded / "python"))


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory):
    """A folder with a policy of the embedded architecture, much smaller and with random weights."""
    from tests.make import write_tiny_base

    return write_tiny_base(tmp_path_factory.mktemp("tiny-base"))
