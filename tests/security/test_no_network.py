"""Sockets that refuse and write down who asked; tests/test_commands.py runs the main job under this watch."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

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


def watched(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a user who never turned anything off, with sockets that refuse and write down who asked, in ASKED."""
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCHED)
    opinions = ("ZENML_ANALYTICS_OPT_IN", "GX_ANALYTICS_ENABLED", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")
    kept = {name: value for name, value in environment.items() if name not in opinions}
    return kept | {"PYTHONPATH": f"{folder / 'watch'}:{ROOT}", "ASKED": str(folder / "asked")}


def test_the_watch_sees_what_asks(tmp_path):
    environment = watched(tmp_path, os.environ)
    done = subprocess.run(
        [sys.executable, "-c", "import urllib.request as u; u.urlopen('http://198.51.100.1')"],
        env=environment, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "198.51.100.1" in Path(environment["ASKED"]).read_text()
