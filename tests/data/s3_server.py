"""An S3 server on this machine; tests/faults.py has lines to it that fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection
from typing import Any
from unittest import mock

import fsspec
import pytest
from botocore.loaders import JSONFileLoader

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
"""Where a user has them: in the environment."""


def options(url: str) -> dict[str, Any]:
    """Options of s3fs for the server."""
    return {"client_kwargs": {"endpoint_url": url}, "skip_instance_cache": True}


def impatient(url: str) -> dict[str, Any]:
    """The same, but giving up soon: for tests of faults that stay."""
    return options(url) | {"config_kwargs": {"retries": {"max_attempts": 1}}}


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of a fresh server with an empty bucket "pairs", and its keys in the environment; everything is allowed."""
    moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        _post(url, "/moto-api/reset")
        allow(url)
        # Each client, of which a test makes several, reads the description of S3: half of the CPU time that it takes.
        read_once = cache(JSONFileLoader().load_file)
        with (
            mock.patch.dict(os.environ, KEYS),
            mock.patch.object(JSONFileLoader, "load_file", lambda _, path: read_once(path)),
        ):
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


def _post(url: str, path: str, body: bytes = b"") -> None:
    host, port = url.removeprefix("http://").split(":")
    server = HTTPConnection(host, int(port), timeout=10)
    server.request("POST", path, body)
    assert server.getresponse().status == 200
    server.close()
