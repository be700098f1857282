"""A stand-in for a vLLM server, which answers with a real model: the part of its HTTP API that this project uses.

GET /v1/models; POST /v1/load_lora_adapter {lora_name, lora_path}, /v1/unload_lora_adapter {lora_name}, and /v1/chat/completions
with ``return_token_ids``, ``logprobs`` and ``n``. Beside /v1, POST /sleep?level=1 and /wake_up and GET /is_sleeping, which exist
with VLLM_SERVER_DEV_MODE=1, as do POST /collective_rpc (``reload_weights``), /reset_prefix_cache, /reset_encoder_cache,
/reset_mm_cache and /update_weight_version, and GET /weight_info. All as in vLLM 0.32.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from PIL import Image

from tests.loopback import address, serving
from vision_zero.config.policy import PolicyConfig, SamplingParams
from vision_zero.policy.adapter_io import load_full
from vision_zero.policy.chats import Messages, begin_reply, user_message
from vision_zero.policy.loading import load_policy
from vision_zero.policy.policy import Policy
from vision_zero.policy.prefill import unpadded
from vision_zero.randomness import Seed

BASE = "the-base"
LOADING = threading.Lock()
"""transformers cannot load two models at the same time in one process, as two of these servers would."""
RESETS = ("/reset_prefix_cache", "/reset_encoder_cache", "/reset_mm_cache")
WEIGHTS = ("/weight_info", "/update_weight_version", "/collective_rpc", *RESETS)
Answer = tuple[int, Any]


@dataclass
class VllmServer:
    """What it serves, what it was asked, and how it misbehaves.

    Attributes:
        spoil: changes an answer to a path; None for the server as it should be.
        sleeps_when_told: it was started so that it can.
        is_asleep: it holds no memory of a GPU, and answers nothing.
        context: its --max-model-len.
        log_probs_mode: its --logprobs-mode; vLLM's own default is raw_logprobs.
        takes_weights: it was started with VLLM_SERVER_DEV_MODE=1.
        version: of its weights.
        base_stays: it says that it has reloaded weights, and has not.
        slip: added to the log-probs of tokens that adapters sample, which are then exactly those of training: image tokens, which
            are never sampled, have their share, too.
    """

    base: Path
    url: str = ""
    served: dict[str, Policy] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    spoil: Callable[[str, Answer], Answer] | None = None
    sleeps_when_told: bool = False
    is_asleep: bool = False
    context: int = 512
    log_probs_mode: str = "processed_logprobs"
    takes_weights: bool = False
    version: str = "default"
    base_stays: bool = False
    slip: float | None = None
    lock: Any = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.served[BASE] = load_policy(PolicyConfig(base=str(self.base)), None, device="cpu")

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        with self.lock:
            name = path.removeprefix("/v1/") if path.startswith("/v1/") else path
            self.asked.append((name, body))
            if not path.startswith("/v1/"):
                answer = self._control(path, body)
                return self.spoil(path, answer) if self.spoil else answer
            if name == "models":
                return 200, {"data": [{"id": model, "max_model_len": self.context} for model in self.served]}
            assert not self.is_asleep, f"{name} is asked of a server that sleeps"
            answer = getattr(self, f"_{name.replace('/', '_')}")(body)
            return self.spoil(name, answer) if self.spoil else answer

    def restart(self) -> None:
        """It has lost its adapters, and holds the weights that it was started with."""
        self.served = {BASE: load_policy(PolicyConfig(base=str(self.base)), None, device="cpu")}
        self.version = "default"

    def _control(self, path: str, body: dict[str, Any]) -> Answer:
        if self.takes_weights and path in WEIGHTS:
            return self._weights(path, body)
        if not self.sleeps_when_told or path not in ("/sleep?level=1", "/wake_up", "/is_sleeping"):
            return 404, {"detail": "Not Found"}
        if path == "/is_sleeping":
            return 200, {"is_sleeping": self.is_asleep}
        self.is_asleep = path.startswith("/sleep")
        return 200, ""

    def _weights(self, path: str, body: dict[str, Any]) -> Answer:
        if path == "/update_weight_version":
            self.version = body["new_version"]
        elif path == "/collective_rpc" and not self.base_stays:
            assert body["method"] == "reload_weights"
            config = PolicyConfig(base=str(self.base))
            with LOADING:
                model = load_full(Path(body["kwargs"]["weights_path"]), config)
                self.served[BASE] = replace(load_policy(config, None, device="cpu"), model=model, decoders={})
        return 200, {"weight_version": self.version, "success": True}

    def _load_lora_adapter(self, body: dict[str, Any]) -> Answer:
        folder = Path(body["lora_path"])
        self.served[body["lora_name"]] = load_policy(PolicyConfig(base=str(self.base)), folder, device="cpu")
        return 200, f"Success: LoRA adapter '{body['lora_name']}' added successfully."

    def _unload_lora_adapter(self, body: dict[str, Any]) -> Answer:
        del self.served[body["lora_name"]]
        return 200, f"Success: LoRA adapter '{body['lora_name']}' removed successfully."

    def _chat_completions(self, body: dict[str, Any]) -> Answer:
        if body["model"] not in self.served:
            return 404, {"error": {"message": f"The model `{body['model']}` does not exist."}}
        policy = self.served[body["model"]]
        policy = replace(policy, greedy=body["temperature"] == 0)
        text, images = "", []
        *_, last = body["messages"]
        begun = "".join(part["text"] for part in last["content"]) if last["role"] == "assistant" else ""
        assert bool(begun) == bool(body.get("continue_final_message")) == (body.get("add_generation_prompt", True) is False)
        for part in body["messages"][0]["content"]:
            if part["type"] == "text":
                text = part["text"]
            else:
                data = base64.b64decode(part["image_url"]["url"].removeprefix("data:image/png;base64,"))
                images.append(Image.open(io.BytesIO(data)))
        chat = begin_reply(user_message(text, *images), begun)
        params = SamplingParams(body["temperature"] or 1.0, body["max_tokens"])
        [prompt] = unpadded(policy.encode([chat]))
        choices = [self._choice(policy, chat, begun, params, body, number) for number in range(body["n"])]
        return 200, {"prompt_token_ids": prompt, "choices": choices}

    def _choice(
        self, policy: Policy, chat: Messages, begun: str, params: SamplingParams, body: dict[str, Any], number: int
    ) -> dict[str, Any]:
        [completion] = policy.sample([chat], params, Seed(body["seed"] + number), ["chat"])
        tokens = list(completion.tokens)[len(policy.processor.tokenizer.encode(begun)) if begun else 0 :]
        if body.get("allowed_token_ids"):
            [shares] = policy._forced([chat], [body["allowed_token_ids"]])
            tokens = [body["allowed_token_ids"][shares.index(1.0)]]
        at = (body["temperature"] or 1.0) if self.log_probs_mode == "processed_logprobs" else 1.0
        if self.slip is None or body["model"] == BASE:
            scores = policy.log_probs(chat, tokens, at) if body["logprobs"] else []
        else:
            unmasked = replace(policy)
            unmasked.__dict__["image_tokens"] = []
            scores = [score + self.slip for score in unmasked.log_probs(chat, tokens, at)]
        return {
            "index": number,
            "token_ids": tokens,
            "logprobs": {"content": [{"logprob": score} for score in scores]},
            "message": {"content": completion.text},
            "finish_reason": "length" if completion.is_cut_off else "stop",
        }


@contextmanager
def vllm_server(base: Path) -> Iterator[VllmServer]:
    """The stand-in at a free port."""
    standing = VllmServer(base)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, body: dict[str, Any]) -> None:
            status, answer = standing.answer(self.path, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write((answer if isinstance(answer, str) else json.dumps(answer)).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as server:
        standing.url = f"{address(server)}/v1"
        yield standing
