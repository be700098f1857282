"""A server on loopback that speaks JSON: what the stand-ins for the APIs of clusters are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.loopback import address, serving

Json = dict[str, Any]
Answer = Callable[[str, str, Json], Json | None]
"""From a method, a path without its query and a body to the answer, None for 404."""


@contextmanager
def json_server(answer: Answer) -> Iterator[str]:
    """The address of a server that gives these answers."""

    class Handler(BaseHTTPRequestHandler):
        def serve(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = answer(self.command, urlsplit(self.path).path, json.loads(sent or "{}"))
            data = json.dumps({"message": f"{self.command} {self.path} is not served"} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with serving(Handler) as server:
        yield address(server)
