"""Nothing is sent anywhere: the main job, with every way out of this machine closed and listened at."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.make import write_tiny_recipe

pytestmark = [pytest.mark.cli, pytest.mark.zenml]

ROOT = Path(__file__).resolve().parents[2]

WATCHED = '''
"""Imported by every Python process of the run, before anything else: sockets refuse, and write down who asked."""
import os, socket

def _refuse(name):
    def refuse(*arguments, **options):
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{name} {arguments[1:] if name != 'getaddrinfo' else arguments}\\n")
        raise OSError(f"{name} is refused")
    return refuse

for _name in ("connect", "connect_ex", "sendto", "sendmsg"):
    setattr(socket.socket, _name, _refuse(_name))
socket.getaddrinfo = _refuse("getaddrinfo")
'''


@pytest.fixture
def watched(tmp_path):
    """The environment of a user who never turned anything off, with sockets that refuse and write down who asked."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCHED)
    opinions = ("ZENML_ANALYTICS_OPT_IN", "GX_ANALYTICS_ENABLED", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")
    kept = {name: value for name, value in os.environ.items() if name not in opinions}
    return kept | {
        "PYTHONPATH": f"{tmp_path / 'watch'}:{ROOT}",
        "ZENML_CONFIG_PATH": str(tmp_path / "zenml"),
        "ASKED": str(tmp_path / "asked"),
    }


def test_the_watch_sees_what_asks(watched):
    done = subprocess.run(
        [sys.executable, "-c", "import urllib.request as u; u.urlopen('http://198.51.100.1')"],
        env=watched, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "198.51.100.1" in Path(watched["ASKED"]).read_text()


def test_the_main_job_asks_nobody(watched, tiny_base, tmp_path):
    """With the Makefile's settings, as ``make run`` has them, and nobody else's."""
    settings = dict(re.findall(r"^export (\w+) \??:?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert "HF_HUB_OFFLINE" in settings
    recipe = write_tiny_recipe(tmp_path / "tiny.yaml", tiny_base, "vision_zero_watched", {})
    done = subprocess.run(
        [Path(sys.executable).parent / "zenml", "pipeline", "run", "pipelines.self_play.self_play", "-c", recipe],
        cwd=ROOT, env=watched | settings, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    asked = Path(watched["ASKED"])
    assert not asked.exists(), asked.read_text()
