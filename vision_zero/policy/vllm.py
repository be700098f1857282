"""Generation by a vLLM server, or several, instead of the model in this process.

Adapters are passed as files in a folder that both processes see, and are requested by name; the base has its own name. All
weights are passed in the same way and replace those of the servers. Completions come back as token ids: the update trains what
was sampled, never re-tokenised text. The prompt's ids come back too, and must equal those that will be trained. TRL's vLLM mode
is not used: it sends image placeholders already expanded, and the server expands them again (huggingface/trl, issue 6294). Nor
can vLLM run in this process: its versions for the pinned torch need an older FastAPI than ZenML's server. On a shared GPU the
server sleeps while this process trains.

With several servers, request after request goes to them in turn. Completions are reproducible from the seed only as far as the
servers' are: rounding depends on their batch sizes.
"""

from __future__ import annotations

import gc
import json
import logging
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import SamplingParams
from vision_zero.errors import PolicyError
from vision_zero.policy.openai_client import Server, as_sent
from vision_zero.policy.vllm_handed import Handed, HandedAdapter, HandedWeights, check_weights, remove_abandoned
from vision_zero.policy.vllm_server import AS_STARTED, ready, wake_up
from vision_zero.randomness import Seed

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class GenerationRequest:
    """A request for the completions of one prompt.

    Attributes:
        name: identifies the chat in error messages.
        messages: the chat.
        prompt: its token ids with image placeholders, as they will be trained.
        allowed: tokens that may be sampled; empty for all.
        count: how many completions are sampled.
    """

    name: str
    messages: Sequence[dict[str, Any]]
    prompt: list[int]
    allowed: Sequence[int] = ()
    count: int = 1

    @property
    def terms(self) -> dict[str, Any]:
        """The request's own fields beside the chat: a prefilled reply, and the tokens that may be sampled."""
        has_begun = self.messages[-1]["role"] == "assistant"
        begun = {"add_generation_prompt": False, "continue_final_message": True} if has_begun else {}
        return {**begun, **({"allowed_token_ids": list(self.allowed)} if self.allowed else {})}


@dataclass(frozen=True)
class ServedReply:
    """A completion: its token ids, with the end token if there is one, and the log-probability of each as it was sampled."""

    tokens: list[int]
    log_probs: list[float]


@lru_cache
def contact(config: VllmConfig) -> int | None:
    """The shortest context length of the servers in tokens, None if none says; asked once per process.

    What killed processes left on the servers is removed.

    Raises:
        PolicyError: a server is not :func:`~vision_zero.policy.vllm_server.ready`.
    """
    served = {server: ready(server) for server in config.servers}
    remove_abandoned(config, served)
    contexts = (models[config.model] for models in served.values())
    return min((context for context in contexts if context is not None), default=None)


class VllmModel:
    """A model on the servers: the base, or what they were handed, which they forget when this object is garbage-collected.

    Attributes:
        handed: an adapter, or all weights; None: the base.
        name: of the model in requests.
    """

    def __init__(self, config: VllmConfig, handed: Handed | None = None) -> None:
        self.config = config
        self.handed = handed
        self.name = handed.version if isinstance(handed, HandedAdapter) else config.model
        self._restoring = Lock()
        self._restored: set[str] = set()

    @classmethod
    def adapter(cls, config: VllmConfig, files: Path) -> VllmModel:
        """Hand over the adapter of a folder.

        Raises:
            PolicyError: a server does not answer or does not take it, or it cannot be written where the servers read.
        """
        contact(config)
        wake_up(config)
        return cls._loaded(HandedAdapter.copied(config, files))

    @classmethod
    def all_weights(cls, config: VllmConfig, model: Any) -> VllmModel:
        """Hand over all weights of a model, which replace those of the servers.

        Raises:
            PolicyError: as for :meth:`adapter`, or another policy samples with all weights from these servers.
        """
        contact(config)
        wake_up(config)
        gc.collect()  # a policy of this process that is no longer used may still be there, and have its weights on the servers
        return cls._loaded(HandedWeights.of(config, model.save_pretrained))

    @classmethod
    def _loaded(cls, handed: Handed) -> VllmModel:
        handed.load()
        served = cls(handed.config, handed)
        weakref.finalize(served, handed.unload)
        return served

    @property
    def version(self) -> str:
        """The servers' name for what they were handed; empty for the base."""
        return self.handed.version if self.handed else ""

    @property
    def has_all_weights(self) -> bool:
        """Whether it has replaced the base on the servers."""
        return isinstance(self.handed, HandedWeights)

    def base(self) -> VllmModel:
        """The base that the servers were started with."""
        return VllmModel(self.config)

    @property
    def context(self) -> int | None:
        """The shortest context length of the servers in tokens (``--max-model-len``); None if none says."""
        return contact(self.config)

    def replies(
        self, asked: Sequence[GenerationRequest], params: SamplingParams, *, top_p: float, never: Sequence[int], seed: Seed
    ) -> list[list[ServedReply]]:
        """The completions of each prompt.

        The completions of one prompt are one request, for which the server reads the prompt once. If a greedy reply is asked for
        several times, it is generated once.

        Args:
            params: temperature 0 is greedy.
            never: tokens that are not sampled.

        Raises:
            PolicyError: a server does not answer, reads a prompt differently from this process, or holds other weights.
        """
        contact(self.config)
        wake_up(self.config)
        self._check_weights()
        servers = self.config.servers
        how = {
            "model": self.name,
            "temperature": params.temperature,
            "max_tokens": params.max_tokens,
            "top_p": top_p,
            # What the server would otherwise take from the model's generation_config.json.
            "top_k": -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "logit_bias": {str(token): -100 for token in never},
            "return_token_ids": True,
            "logprobs": True,
        }

        def ask(number: int) -> list[ServedReply]:
            one, server = asked[number], servers[number % len(servers)]
            is_greedy = params.temperature == 0
            body = {
                **how,
                **one.terms,
                "messages": as_sent(one.messages),
                "n": 1 if is_greedy else one.count,
                "seed": seed.child("reply", number).integer() % 2**31,
            }
            prompt, replies = self._complete(server, body)
            if not _same_prompt(one.prompt, prompt, never):
                raise PolicyError(
                    f"{server.url} reads the prompt of {one.name} as {len(prompt)} tokens, this process as "
                    f"{len(one.prompt)}: serve the same base with the same chat template, and policy.pictures as "
                    "--mm-processor-kwargs"
                )
            return replies * one.count if is_greedy else replies

        with ThreadPoolExecutor(self.config.parallel * len(servers)) as pool:
            replies = list(pool.map(ask, range(len(asked))))
        self._check_weights()
        return replies

    def _complete(self, server: VllmConfig, body: dict[str, Any]) -> tuple[list[int], list[ServedReply]]:
        client = Server(server, PolicyError)
        try:
            return client.post("chat/completions", body, _completions)
        except PolicyError:
            if not self._is_back(server):
                raise
        return client.post("chat/completions", body, _completions)

    def _check_weights(self) -> None:
        for server in self.config.servers:
            check_weights(server, self.version if self.has_all_weights else AS_STARTED)

    def _is_back(self, server: VllmConfig) -> bool:
        """Had the server lost the adapter, as after a restart, and has it again? One request hands it over for all."""
        if not isinstance(self.handed, HandedAdapter):
            return False
        with self._restoring:
            if not self.handed.is_on(server):
                _LOGGER.warning("%s has lost the adapter %s; it is handed over again", server.url, self.version)
                self.handed.load_on(server)
                self._restored.add(server.url)
        return server.url in self._restored


def _completions(data: bytes) -> tuple[list[int], list[ServedReply]]:
    """The token ids of the prompt, and its completions."""
    try:
        answer = json.loads(data)
        prompt = answer["prompt_token_ids"]
        choices = sorted(answer["choices"], key=lambda choice: choice["index"])
        replies = [
            ServedReply(choice["token_ids"], [token["logprob"] for token in choice["logprobs"]["content"]]) for choice in choices
        ]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no token ids and log-probs in {data[:100]!r}: vLLM sends them from 0.10.2 on") from error
    if not prompt or not replies or not all(reply.tokens and len(reply.tokens) == len(reply.log_probs) for reply in replies):
        raise ValueError(f"no token ids and log-probs in {data[:100]!r}")
    return prompt, replies


def _same_prompt(ours: list[int], theirs: list[int], images: Sequence[int]) -> bool:
    """Are they the same, except that a server may name an image once instead of once for each of its patches?"""
    return theirs in (ours, [token for token, run in groupby(ours) for _ in (range(1) if token in images else run)])
