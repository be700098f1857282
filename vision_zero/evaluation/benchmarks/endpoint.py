"""A model behind an OpenAI-compatible endpoint, through the standard library alone.

The key comes from an environment variable and goes nowhere but into the request's header: redirects are refused, so that no other
host sees it, and it is struck out of the messages of errors.
"""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from vision_zero.config.endpoint import EndpointConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.benchmark import Messages
from vision_zero.evaluation.benchmarks.files import one_line
from vision_zero.pairs.pictures import png_bytes
from vision_zero.randomness import Seed

LARGEST_REPLY = 4_000_000
"""Bytes of a response that are read; more are not an answer."""
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Endpoint:
    """Answers chats; satisfies :class:`vision_zero.evaluation.benchmarks.running.Answerer`.

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
            "messages": [{**message, "content": _parts(message["content"])} for message in messages],
            "max_tokens": self.config.max_tokens,
            "temperature": self.config.temperature,
        }
        data = json.dumps(body if seed is None else {**body, "seed": seed}).encode()
        key = self._key()
        reason = ""
        for number in range(self.config.tries):
            if number:
                time.sleep(self.config.first_wait * 2 ** (number - 1))
            try:
                return _content(self._request(data, key))
            except urllib.error.HTTPError as error:
                reason = f"HTTP {error.code}: {one_line(error.read(2000).decode('utf-8', 'replace'))}"
                if error.code not in _PASSING:
                    break
            except (OSError, HTTPException, ValueError) as error:
                reason = f"{type(error).__name__}: {one_line(error)}"
        raise EvaluationError(f"{self.config.url} gave no answer: {_without(key, reason)} (check url, model and key_variable)")

    def _request(self, data: bytes, key: str | None) -> bytes:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        request = urllib.request.Request(f"{self.config.url.rstrip('/')}/chat/completions", data, headers)
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=self.config.timeout) as response:
            return bytes(response.read(LARGEST_REPLY))

    def _key(self) -> str | None:
        if urlsplit(self.config.url).scheme not in ("http", "https"):
            raise EvaluationError(f"{self.config.url!r} is no http or https URL")
        if self.config.key_variable is None:
            return None
        key = os.environ.get(self.config.key_variable, "").strip()
        if not key:
            raise EvaluationError(
                f"the environment variable {self.config.key_variable} is not set: it must hold the endpoint's key"
            )
        return key


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _parts(content: Any) -> Any:
    """The parts of a message as the endpoint wants them: pictures as data URLs."""
    if isinstance(content, str):
        return content
    return [
        part
        if part["type"] == "text"
        else {
            "type": "image_url",
            "image_url": {"url": f"data:image/png;base64,{base64.b64encode(png_bytes(part['image'])).decode()}"},
        }
        for part in content
    ]


def _content(data: bytes) -> str:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no choices[0].message.content in {data[:100]!r}") from error
    return content if isinstance(content, str) else ""


def _without(key: str | None, text: str) -> str:
    return text.replace(key, "***") if key else text
