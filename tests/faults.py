"""An HTTP line to a server of the tests that goes wrong as it is told: refusals, delays, resets, cuts."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.loopback import address, serving

Kind = Literal["500", "503", "slow", "reset", "cut upload", "lost answer", "cut answer"]
FOREVER = 10**9
LISTING, CONTENT = "list-type", r"^/[^?]+$"
"""Paths of S3: what is in a bucket, and what is in an object."""
_REFUSALS = {"500": "InternalError", "503": "SlowDown"}
_KEPT_BY_HTTP = ("transfer-encoding", "connection", "content-length")


@dataclass(frozen=True)
class Fault:
    """What happens to the first ``times`` requests that match.

    Attributes:
        kind: an answer of S3 (500 InternalError, 503 SlowDown); ``slow``: forwarded after ``seconds``; ``reset``: the line breaks
            before anything is read; ``cut upload``: it breaks in the middle of the request's body, which reaches nobody;
            ``lost answer``: the server did what was asked, and the line breaks before it can say so; ``cut answer``: it breaks in
            the middle of the answer's body.
        method: GET, PUT, ...; or several as a pattern.
        path: a pattern that is looked for in the path with its query.
    """

    kind: Kind
    method: str = r"\w+"
    path: str = ""
    times: int = FOREVER
    seconds: float = 0.3

    def concerns(self, method: str, path: str) -> bool:
        return re.fullmatch(self.method, method) is not None and re.search(self.path, path) is not None


@dataclass
class Line:
    """A line that stands.

    Attributes:
        url: its address.
        faults: what goes wrong; may be changed at any time.
        met: how often each fault was met.
        asked: every request, as "PUT /bucket/key".
    """

    url: str = ""
    faults: tuple[Fault, ...] = ()
    met: Counter[Fault] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets: the first that concerns it and is not used up."""
        with self._lock:
            self.asked.append(f"{method} {path}")
            for fault in self.faults:
                if fault.concerns(method, path) and self.met[fault] < fault.times:
                    self.met[fault] += 1
                    return fault
        return None


@contextmanager
def faulty_line(url: str, *faults: Fault) -> Iterator[Line]:
    """A line to the server at ``url`` with these faults."""
    line = Line(faults=faults)
    with serving(_handler(url, line), _QuietServer) as server:
        line.url = address(server)
        yield line


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Broken lines are what this server is for."""


def _handler(url: str, line: Line) -> type[BaseHTTPRequestHandler]:
    host, port = url.removeprefix("http://").split(":")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def meet(self) -> None:
            fault = line.fault(self.command, self.path)
            kind = None if fault is None else fault.kind
            length = int(self.headers.get("Content-Length") or 0)
            if kind == "reset":
                return self.hang_up()
            if kind == "cut upload":
                self.rfile.read(length // 2)
                return self.hang_up()
            body = self.rfile.read(length)
            if fault is not None and kind == "slow":
                time.sleep(fault.seconds)
            if kind in _REFUSALS:
                code = _REFUSALS[kind]
                text = f"<Error><Code>{code}</Code><Message>injected {code}</Message></Error>"
                return self.answer(int(kind), {"Content-Type": "application/xml"}, text.encode(), len(text))
            status, headers, data = self.forward(body)
            if kind == "lost answer":
                return self.hang_up()
            told = int(headers.get("Content-Length") or 0) if self.command == "HEAD" else len(data)
            if kind == "cut answer":
                data, self.close_connection = data[: len(data) // 2], True
            return self.answer(status, headers, data, told)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = meet  # noqa: N815

        def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            server = HTTPConnection(host, int(port), timeout=60)
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            data = answer.read()
            server.close()
            return answer.status, dict(answer.getheaders()), data

        def answer(self, status: int, headers: dict[str, str], data: bytes, length: int) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _KEPT_BY_HTTP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def hang_up(self) -> None:
            """Reset the connection: the other side sees an error, not an end."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
