"""Requests to a server that speaks OpenAI's protocol, through the standard library alone.

The key is read from an environment variable and only sent in the request's header: redirects are refused, so that no other host
gets it, and it is removed from error messages.
"""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar

from vision_zero.config.endpoint import ServerConfig
from vision_zero.data.images import png_bytes
from vision_zero.errors import VisionZeroError
from vision_zero.text import single_line

LARGEST_REPLY = 2**28
"""Largest response in bytes: vLLM takes about 110 for a token with its log-prob, and a request may ask for many replies."""
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which the same request is repeated."""
Read = TypeVar("Read")


@dataclass(frozen=True)
class Server:
    """A client of one server.

    Attributes:
        error: exception class for a missing answer.
        passing: HTTP statuses after which the same request is repeated.
    """

    config: ServerConfig
    error: type[VisionZeroError]
    passing: frozenset[int] = PASSING

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[bytes], Read]) -> Read:
        """Send a request and parse its answer with ``read``; if that raises ``ValueError``, the request is repeated.

        Raises:
            VisionZeroError: of the kind ``error``: the key is not set, the server refuses the request, or no try has an answer.
        """
        return self._answer(path, json.dumps(body).encode(), read)

    def get(self, path: str, read: Callable[[bytes], Read]) -> Read:
        """As :meth:`post`, by a GET request."""
        return self._answer(path, None, read)

    def _answer(self, path: str, data: bytes | None, read: Callable[[bytes], Read]) -> Read:
        key = self._key()
        status, reason = None, ""
        for number in range(self.config.tries):
            if number:
                time.sleep(self.config.first_wait * 2 ** (number - 1))
            try:
                return read(self._request(path, data, key))
            except urllib.error.HTTPError as error:
                status, reason = error.code, f"HTTP {error.code}: {_beginning(error)}"
                if error.code == 404 and not self.config.url.rstrip("/").endswith("/v1"):
                    reason += f"; OpenAI's paths usually begin with /v1: is the url {self.config.url.rstrip('/')}/v1?"
                if error.code not in self.passing:
                    break
            except (OSError, HTTPException, ValueError) as error:
                status, reason = None, f"{type(error).__name__}: {single_line(str(error))}"
                if isinstance(getattr(error, "reason", error), TimeoutError):
                    reason += f"; if it needs longer than {self.config.timeout:g} s, raise timeout"
        raise self.error(f"{self.config.url} gave no answer: {_without(key, reason)} (check url, model and key_variable)", status)

    def _request(self, path: str, data: bytes | None, key: str | None) -> bytes:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        request = urllib.request.Request(f"{self.config.url.rstrip('/')}/{path}", data, headers)
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=self.config.timeout) as response:
            answer = bytes(response.read(LARGEST_REPLY + 1))
        if len(answer) > LARGEST_REPLY:
            raise self.error(f"{self.config.url} answers {path} with more than {LARGEST_REPLY:,} bytes: ask for less at a time")
        return answer

    def _key(self) -> str | None:
        if self.config.key_variable is None:
            return None
        key = os.environ.get(self.config.key_variable, "").strip()
        if not key:
            raise self.error(f"the environment variable {self.config.key_variable} is not set: it must hold the endpoint's key")
        if not (key.isascii() and key.isprintable()):
            raise self.error(
                f"the environment variable {self.config.key_variable} holds more than a key, such as a second line: set it to "
                "the endpoint's key alone"
            )
        return key


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, which would send the key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _beginning(refusal: urllib.error.HTTPError) -> str:
    """The beginning of what a server says about a refusal; the status's name if that does not arrive."""
    try:
        return single_line(refusal.read(2000).decode("utf-8", "replace"))
    except (OSError, HTTPException):
        return single_line(str(refusal.reason))


def as_sent(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A chat in OpenAI's format, with images as data URLs."""
    return [{**message, "content": _parts(message["content"])} for message in messages]


def _parts(content: Any) -> Any:
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


def _without(key: str | None, text: str) -> str:
    return text.replace(key, "***") if key else text
