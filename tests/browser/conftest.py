"""What the tests in a browser need: the extra, a Chromium, and a dashboard with one run."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from tests.browser.dashboard import chromium, skip_questions, visiting
from tests.crashes import ROOT, Workplace
from tests.loopback import free_port

RUN = "from zenml.client import Client; print(Client().list_pipeline_runs(size=1).items[0].id)"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser these tests are skipped; where they are asked for by name (make test-browser), that is a failure."""
    missing = []
    if importlib.util.find_spec("playwright") is None:
        missing.append("playwright is not installed: pip install -c constraints.txt -e '.[dev,browser]'")
    if chromium() is None:
        missing.append("there is no Chromium: install Debian's package chromium, or set CHROMIUM to the program")
    if missing:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip)("; ".join(missing))


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A ZenML of its own in which one self-play run has been."""
    made = Workplace.at(tmp_path_factory.mktemp("browser") / "place")
    made.run()
    return made


@pytest.fixture(scope="package")
def url(place: Workplace):
    """The address that make dashboard prints."""
    port = free_port()
    settings = [f"PORT={port}", f"BIN={Path(place.command[0]).parent}", "--old-file=.venv/installed"]

    def make(target: str) -> str:
        done = subprocess.run(
            ["make", target, *settings],
            cwd=ROOT, env=dict(place.environment), capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        assert f"dashboard: http://127.0.0.1:{port} " in make("dashboard")
        skip_questions(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        make("stop-dashboard")


@pytest.fixture(scope="package")
def visit(place: Workplace, url: str):
    """A browser on the run's page."""
    run = place.ask(RUN)
    with visiting(url) as made:
        made.open(run)
        yield made
