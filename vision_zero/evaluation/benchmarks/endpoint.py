"""A model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from vision_zero.config.endpoint import EndpointConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.suite import Messages
from vision_zero.policy.openai_client import Server, as_sent
from vision_zero.randomness import Seed
from vision_zero.text import well_formed


@dataclass(frozen=True)
class Endpoint:
    """Answers chats; satisfies :class:`vision_zero.evaluation.benchmarks.runner.Answerer`.

    Raises:
        EvaluationError: on use, when the key is not set or the server gives no answer.
    """

    config: EndpointConfig

    @property
    def name(self) -> str:
        return f"{self.config.model} at {urlsplit(self.config.url).hostname}"

    def answer(self, prompts: Sequence[Messages], seed: Seed) -> list[str]:
        """One reply for each chat, in order; the seed is sent along when the endpoint samples."""
        sampled = seed.integer() % 2**31 if self.config.temperature > 0 else None
        with ThreadPoolExecutor(self.config.parallel) as pool:
            return list(pool.map(lambda messages: self.complete(messages, sampled), prompts))

    def complete(self, messages: Messages, seed: int | None = None) -> str:
        """The reply to one chat.

        Raises:
            EvaluationError: the key is not set, the server refuses the request, or it gives no answer in any try.
        """
        body: dict[str, Any] = {
            "model": self.config.model,
            "messages": as_sent(messages),
            "max_tokens": self.config.max_tokens,
            "temperature": self.config.temperature,
        }
        server = Server(self.config, EvaluationError)
        return server.post("chat/completions", body if seed is None else {**body, "seed": seed}, _content)


def _content(data: bytes) -> str:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no choices[0].message.content in {data[:100]!r}") from error
    return well_formed(content) if isinstance(content, str) else ""
