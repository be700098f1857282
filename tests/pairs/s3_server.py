"""An S3 server on this machine, and a way to it that loses connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any

import fsspec
import pytest

from tests.loopback import address, serving


def options(url: str) -> dict[str, Any]:
    """Options of s3fs for the server."""
    return {"key": "key", "secret": "secret", "client_kwargs": {"endpoint_url": url}, "skip_instance_cache": True}


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a fresh server with an empty bucket "pairs"; everything is allowed."""
    moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        _post(url, "/moto-api/reset")
        allow(url)
        fsspec.filesystem("s3", **options(url)).mkdir("pairs")
        yield url
    finally:
        server.stop()


def forbid(url: str) -> None:
    """From now on the server refuses everything."""
    _post(url, "/moto-api/reset-auth", b"0")


def allow(url: str) -> None:
    """From now on the server allows everything."""
    _post(url, "/moto-api/reset-auth", b"inf")


@contextmanager
def bad_line(url: str, cuts: int) -> Iterator[str]:
    """An address that leads to the server, but cuts the first ``cuts`` answers with a file's content in the middle."""
    host, port = url.removeprefix("http://").split(":")
    left = [cuts]
    lock = threading.Lock()

    class Line(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server = HTTPConnection(host, int(port), timeout=10)
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            data = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            with lock:
                cut = self.command == "GET" and "list-type" not in self.path and left[0] > 0
                left[0] -= cut
            if cut:
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True
            elif self.command != "HEAD":
                self.wfile.write(data)
            server.close()

        do_GET = do_PUT = do_HEAD = do_POST = forward  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with serving(Line) as line:
        yield address(line)


def _post(url: str, path: str, body: bytes = b"") -> None:
    host, port = url.removeprefix("http://").split(":")
    server = HTTPConnection(host, int(port), timeout=10)
    server.request("POST", path, body)
    assert server.getresponse().status == 200
    server.close()
