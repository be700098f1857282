"""Settings of models behind a server: the one that answers, the one that reads answers, and the one that plays."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config


class ServerConfig(Config):
    """A server that speaks OpenAI's protocol, and a model there."""

    url: str
    """Base URL; ``/chat/completions`` is added: ``http://localhost:8000/v1``."""
    model: str
    """Name of the model there."""
    key_variable: str | None = None
    """Environment variable that holds the key; None sends none."""
    timeout: float = Field(120.0, gt=0.0)
    """Seconds for one request."""
    tries: int = Field(4, ge=1, le=10)
    """Tries of one request when the server is busy or does not answer; the waits between them double."""
    first_wait: float = Field(1.0, ge=0.0)
    """Seconds before the second try."""
    parallel: int = Field(4, ge=1, le=1024)
    """Requests at a time."""


class EndpointConfig(ServerConfig):
    """Where a model answers."""

    max_tokens: int = Field(1024, ge=1)
    """Longest reply."""
    temperature: float = Field(0.0, ge=0.0, le=2.0)
    """0 is greedy."""


class VllmConfig(ServerConfig):
    """A vLLM server that generates in the place of this process; ``model`` is the base as it is named there.

    To be started with ``--enable-lora --max-lora-rank R`` and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True: each iteration's adapter is
    handed to it as files.
    """

    adapters: str
    """A folder that this machine and the server both see, under the same path."""
    sleeps: bool = False
    """Whether it gives up its GPU's memory while this process trains, so that both can be on one GPU. To be started with
    ``--enable-sleep-mode`` and VLLM_SERVER_DEV_MODE=1 as well; nobody else can use it then."""
    parallel: int = Field(256, ge=1, le=1024)
    """Requests at a time; the server makes batches of what it has."""


class JudgeConfig(Config):
    """When a second model extracts, and which one."""

    when: Literal["unread", "always"] = "unread"
    """``unread``: only replies in which the rules find no answer; ``always``: every reply that is not empty."""
    endpoint: EndpointConfig
    """The model; greedy settings keep scores repeatable."""
    longest_reply: int = Field(8_000, ge=100)
    """Characters of a reply that the judge is shown, from its end."""
