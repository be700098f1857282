"""Files of a plain web server, which sends no parts of them: they are read like those of a store that does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from tests.loopback import address, serving
from vision_zero.data import remote_storage
from vision_zero.data.remote_storage import Storage
from vision_zero.data.storage_config import StorageConfig

CONTENT = bytes(range(250)) * 40


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Streaming(Quiet):
    """One that does not say how long a file is, either."""

    def send_header(self, keyword: str, value: str) -> None:
        if keyword != "Content-Length" or self.path == "/":
            super().send_header(keyword, value)


@pytest.fixture(params=[Quiet, Streaming])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.bin").write_bytes(CONTENT)
    with serving(partial(request.param, directory=str(tmp_path / "files"))) as server:
        yield Storage(address(server), StorageConfig(cache=str(tmp_path / "cache"), attempts=1))


def test_a_file_that_comes_as_a_whole_is_cut_here(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_storage, "RANGE", 4096)
    assert storage.entries["a.bin"].size in (len(CONTENT), None)
    assert storage.tail("a.bin", 300) == CONTENT[-300:]
    assert storage.read("a.bin") == CONTENT
