"""A ZenML server in a process of its own: stacks with a cluster refuse ZenML's local store, which no pod could reach."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.loopback import free_port

START_SECONDS = 180


@contextmanager
def zenml_server(folder: Path) -> Iterator[str]:
    """The address of a server whose database is in ``folder``; whoever asks is the default user."""
    config = folder / "zenml-server"
    config.mkdir()
    port = free_port()
    environment = _without_zenml() | {
        "ZENML_CONFIG_PATH": str(config),
        "ZENML_STORE_TYPE": "sql",
        "ZENML_STORE_URL": f"sqlite:///{config}/zenml.db",
        "ZENML_SERVER": "True",
        "ZENML_SERVER_AUTH_SCHEME": "NO_AUTH",
        "ZENML_SERVER_AUTO_ACTIVATE": "True",
        "ZENML_SERVER_DEPLOYMENT_TYPE": "other",
        "ZENML_ANALYTICS_OPT_IN": "false",
    }
    command = [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "zenml-server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait(server, port, folder / "zenml-server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def client_environment(url: str, folder: Path) -> dict[str, str]:
    """The environment of a user of the server who has never used ZenML before; its programs are those of this Python."""
    (folder / "zenml-client").mkdir(exist_ok=True)
    return _without_zenml() | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ZENML_CONFIG_PATH": str(folder / "zenml-client"),
        "ZENML_STORE_TYPE": "rest",
        "ZENML_STORE_URL": url,
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_ENABLE_RICH_TRACEBACK": "false",
    }


def _without_zenml() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ZENML_")}


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"ZenML's server did not start: {log.read_text()[-2000:]}")
