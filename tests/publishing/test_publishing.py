"""What is published is the policy that was trained, whole or not at all, wherever it goes."""

import base64
import json
from http.server import BaseHTTPRequestHandler

import pytest
from PIL import Image

from tests.loopback import address, serving
from tests.make import write_tiny_adapter
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.publish import PublishConfig
from vision_zero.errors import PolicyError, PublishError
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_policy
from vision_zero.policy.policy import user_message
from vision_zero.publishing.building import build
from vision_zero.publishing.targets import deliver
from vision_zero.randomness import Seed

CARD = "# a card\n"


def settings(**given):
    return PublishConfig(model="spy", **given)


@pytest.fixture(scope="module")
def trained(tiny_base, tmp_path_factory):
    return PolicyFolder(write_tiny_adapter(tiny_base, tmp_path_factory.mktemp("publish") / "policy"))


@pytest.fixture(scope="module")
def built(trained, tmp_path_factory):
    return build(settings(form="adapter"), trained, CARD, tmp_path_factory.mktemp("built") / "folder")


def log_probs(base, folder=None):
    """Of every word after a question about a picture."""
    import torch

    policy = load_policy(PolicyConfig(base=str(base)), folder)
    inputs = policy.encode([user_message("What do you see?", Image.new("RGB", (112, 112), "teal"))])
    with torch.no_grad():
        return policy.model.eval()(**inputs).logits.log_softmax(-1)


def test_a_merged_model_is_the_base_with_its_adapter(tiny_base, trained, tmp_path):
    merged = build(settings(), trained, CARD, tmp_path / "merged")
    own, adapted, plain = log_probs(merged.path), log_probs(tiny_base, trained.path), log_probs(tiny_base)
    assert (own - adapted).abs().max() < 1e-4
    assert (own - plain).abs().max() > 1e-2
    assert not (merged.path / "adapter_config.json").exists()
    assert (merged.path / "README.md").read_text() == CARD
    for file in merged.path.glob("*.json"):
        if file.name != "tokenizer.json":
            assert str(tiny_base) not in file.read_text(), file.name


def test_a_merged_model_answers_alike(tiny_base, trained, tmp_path):
    merged = build(settings(), trained, CARD, tmp_path / "merged")
    asked = [user_message("What do you see?", Image.new("RGB", (112, 112), "teal"))]
    replies = [
        load_policy(PolicyConfig(base=str(base)), folder).complete(asked, 8, Seed(1))
        for base, folder in ((merged.path, None), (tiny_base, trained.path))
    ]
    assert replies[0] == replies[1]


def test_an_adapter_is_published_without_its_optimiser(built, trained):
    assert set(built.files()) == {"README.md", "adapter_config.json", "adapter_model.safetensors"}


def test_the_bare_base_is_nothing_to_publish(tmp_path):
    with pytest.raises(PolicyError, match="nothing to publish"):
        build(settings(), PolicyFolder(None), CARD, tmp_path / "merged")


@pytest.mark.parametrize(("target", "words"), [(" ", "target is empty"), ("hub:name", "names no repository")])
def test_a_target_names_a_place(target, words):
    with pytest.raises(ValueError, match=words):
        settings(target=target)


def test_a_folder_is_replaced_only_when_asked(built, tmp_path):
    config = settings(target=str(tmp_path / "out" / "policy"))
    assert deliver(built, config) == config.target
    with pytest.raises(PublishError, match="holds something already"):
        deliver(built, config)
    (tmp_path / "out" / "policy" / "older.txt").write_text("older")
    deliver(built, config.model_copy(update={"replace": True}))
    assert {path.name for path in (tmp_path / "out" / "policy").iterdir()} == set(built.files())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["policy"]


def test_a_folder_that_cannot_be_written_is_one_line(built, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="cannot be written") as caught:
        deliver(built, settings(target=str(tmp_path / "file" / "policy")))
    assert "\n" not in str(caught.value)


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as one commit of small files needs."""

    def do_GET(self) -> None:
        self.answer(404 if not self.server.created else 200, {"id": "ada/spy", "sha": "0" * 40, "siblings": []})

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
            values = [line["value"] for line in lines if line["key"] == "file"]
            self.server.files.append({value["path"]: base64.b64decode(value["content"]) for value in values})
            self.answer(
                200, {"commitUrl": f"{self.server.address}/ada/spy/commit/1", "commitOid": "1" * 40, "pullRequestUrl": None}
            )
        else:
            self.answer(200, {})

    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def hub(monkeypatch):
    from huggingface_hub import constants

    with serving(Hub) as server:
        server.created, server.files, server.tokens = [], [], []
        server.address = address(server)
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        yield server


def test_the_hub_gets_one_commit_with_the_token_of_the_environment(built, hub):
    deliver(built, settings(target="hub:ada/spy"))
    assert hub.created[0] == {"name": "spy", "organization": "ada", "visibility": "private"}, hub.created[0]
    (commit,) = hub.files
    assert set(commit) == set(built.files())
    assert commit["README.md"].decode() == CARD
    assert set(hub.tokens) == {"Bearer hf_secret"}
    with pytest.raises(PublishError, match="holds something already"):
        deliver(built, settings(target="hub:ada/spy"))


def test_a_hub_that_cannot_be_reached_is_one_line(built, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(PublishError, match="cannot be written") as caught:
        deliver(built, settings(target="hub:ada/spy"))
    assert "\n" not in str(caught.value)
