"""What is published to the hub: one commit, with the token of the environment, and nothing of others lost."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler

import pytest

from tests.loopback import address, serving
from tests.publishing.policies import CARD, settings
from vision_zero.errors import PublishError
from vision_zero.publishing.targets import deliver

pytestmark = pytest.mark.slow


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as commits of small files need."""

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            files = self.server.files
            self.answer(200, [{"type": "file", "path": name, "size": len(files[name]), "oid": "0" * 40} for name in files])
        elif "/resolve/" in self.path:
            self.send(self.server.files[self.path.rsplit("/", 1)[1]])
        else:
            self.answer(404 if not self.server.created else 200, {"id": "ada/spy", "sha": "0" * 40, "siblings": []})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.tokens.append(self.headers.get("Authorization"))
        if self.path == "/api/repos/create":
            self.server.created.append(json.loads(body))
            self.answer(200, {"url": f"{self.server.address}/ada/spy"})
        elif "/preupload/" in self.path:
            files = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
            self.answer(200, {"files": files})
        elif "/commit/" in self.path:
            lines = [json.loads(line) for line in body.decode().splitlines()]
            for line in lines:
                if line["key"] == "file":
                    self.server.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                elif line["key"] == "deletedFile":
                    del self.server.files[line["value"]["path"]]
            self.server.commits += 1
            self.answer(
                200, {"commitUrl": f"{self.server.address}/ada/spy/commit/1", "commitOid": "1" * 40, "pullRequestUrl": None}
            )
        else:
            self.answer(200, {})

    def answer(self, status: int, body: object) -> None:
        self.send(json.dumps(body).encode(), status)

    def send(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Repo-Commit", f"{self.server.commits:040}")
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hub(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with serving(Hub) as server:
        server.created, server.files, server.tokens, server.commits = [], {}, [], 0
        server.address = address(server)
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace("https://huggingface.co", server.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield server


def test_the_hub_gets_one_commit_with_the_token_of_the_environment(built, hub):
    deliver(built, settings(target="hub:ada/spy"))
    assert hub.created[0] == {"name": "spy", "organization": "ada", "visibility": "private"}, hub.created[0]
    assert hub.commits == 1
    assert set(hub.files) == {*built.files(), "contents.json"}
    assert hub.files["README.md"].decode() == CARD
    assert set(hub.tokens) == {"Bearer hf_secret"}
    with pytest.raises(PublishError, match="holds something already"):
        deliver(built, settings(target="hub:ada/spy"))


def test_a_repository_loses_only_what_was_published_there(built, larger, hub):
    config = settings(target="hub:ada/spy", replace=True)
    deliver(larger, config)
    hub.files |= {".gitattributes": b"", "notes.md": b"mine"}
    done = deliver(built, config)
    assert done.kept == ("notes.md",)
    assert set(hub.files) == {*built.files(), "contents.json", ".gitattributes", "notes.md"}
    assert hub.commits == 2


def test_a_repository_of_something_else_is_refused(built, hub):
    hub.created.append({})
    hub.files |= {".gitattributes": b"", "model.safetensors": b"mine"}
    with pytest.raises(PublishError, match=r"not published there \(model.safetensors\): nothing is touched"):
        deliver(built, settings(target="hub:ada/spy", replace=True))
    assert hub.commits == 0


def test_a_hub_that_cannot_be_reached_is_one_line(built, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(PublishError, match="cannot be written") as caught:
        deliver(built, settings(target="hub:ada/spy"))
    assert "\n" not in str(caught.value)
