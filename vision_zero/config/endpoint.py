"""Settings of models behind a server: an evaluated endpoint, a judge that extracts answers, and a vLLM server that samples."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from vision_zero.config_base import Config


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not any(map(str.isspace, url))
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("is not an http or https URL: write it like http://localhost:8000/v1")
    return url


WebAddress = Annotated[str, AfterValidator(_web_address)]


class ServerConfig(Config):
    """A model on an OpenAI-compatible server."""

    url: WebAddress
    """Base URL; ``/chat/completions`` is added: ``http://localhost:8000/v1``."""
    model: str
    """Name of the model on the server."""
    key_variable: str | None = None
    """Environment variable that holds the key; null: no key."""
    timeout: float = Field(120.0, gt=0.0)
    """Timeout of one request, in seconds."""
    tries: int = Field(4, ge=1, le=10)
    """Attempts for a request if the server is busy or does not answer; the wait doubles after each."""
    first_wait: float = Field(1.0, ge=0.0)
    """Seconds before the second attempt."""
    parallel: int = Field(4, ge=1, le=1024)
    """Concurrent requests."""


class EndpointConfig(ServerConfig):
    """An endpoint to evaluate, or to judge with."""

    max_tokens: int = Field(1024, ge=1)
    """Longest reply."""
    temperature: float = Field(0.0, ge=0.0, le=2.0)
    """0 is greedy."""


class ImportanceSamplingConfig(Config):
    """How the update corrects for a vLLM server that samples with slightly other probabilities than the trained model has.

    Each reply's part of the policy gradient is multiplied by the ratio of its probability in training to that in sampling; the
    bounds limit the variance. Names, meanings and defaults are those of TRL's ``vllm_importance_sampling_*``.
    """

    mode: Literal["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"] = "sequence_mask"
    """One ratio for each token, or one for a reply; outside the bounds it becomes the bound (``truncate``), or 0 (``mask``)."""
    clip_max: float | None = Field(3.0, gt=0.0)
    """Upper bound of the ratio; null: none."""
    clip_min: float | None = Field(None, gt=0.0)
    """Lower bound of the ratio; null: none."""

    @model_validator(mode="after")
    def _bounds_limit(self) -> Self:
        if self.clip_min is None and self.clip_max is None and self.mode.endswith("_truncate"):
            raise ValueError(f"{self.mode} truncates to a bound: set clip_max or clip_min")
        if self.clip_min is not None and self.clip_max is not None and self.clip_min >= self.clip_max:
            raise ValueError(f"clip_min is {self.clip_min:g}, and must be less than clip_max, {self.clip_max:g}")
        return self


class VllmConfig(ServerConfig):
    """A vLLM server that samples the replies instead of this process; ``model`` is the server's name of the base.

    Start it with ``--enable-lora --max-lora-rank R`` and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True: it loads each iteration's adapter
    from files. Where ``policy.adapter`` is null, start it with VLLM_SERVER_DEV_MODE=1 instead: it reloads all weights.
    """

    replicas: tuple[WebAddress, ...] = ()
    """Base URLs of further servers that serve the same base under the same name. Requests are spread over all of them, and each
    loads every adapter."""
    adapters: str
    """A folder that this process and all servers can reach under the same path, for adapters or all weights."""
    sleeps: bool = False
    """Release the GPU's memory while this process trains, so that both can use one GPU. Start the server also with
    ``--enable-sleep-mode`` and VLLM_SERVER_DEV_MODE=1. It cannot be shared with other processes."""
    parallel: int = Field(256, ge=1, le=1024)
    """Concurrent requests to each server, which batches them."""
    tries: int = Field(9, ge=1, le=12)
    """Tries of one request; the waits between them double. The default waits four minutes: a server can restart."""
    largest_difference: float | None = Field(None, gt=0.0)
    """Largest mean difference between the server's log-probs of replies and this process's; null: 1e-4 in float32, where images
    that are resized differently exceed it, and 0.05 in half precision."""
    importance_sampling: ImportanceSamplingConfig | None = ImportanceSamplingConfig()
    """Correction of the update for the difference between the server's probabilities and the trained model's; null: none. At
    another sampling temperature than 1 the server must be started with ``--logprobs-mode processed_logprobs``."""

    @property
    def servers(self) -> tuple[Self, ...]:
        """The settings of each server by itself."""
        return tuple(self.model_copy(update={"url": url, "replicas": ()}) for url in (self.url, *self.replicas))

    @model_validator(mode="after")
    def _servers_differ(self) -> Self:
        urls = [url.rstrip("/") for url in (self.url, *self.replicas)]
        twice = sorted({url for url in urls if urls.count(url) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is named twice: url and replicas must be different servers")
        return self


class JudgeConfig(Config):
    """A second model that extracts answers from replies, and when it is used."""

    when: Literal["unread", "always"] = "unread"
    """``unread``: only replies in which the rules find no answer; ``always``: every reply that is not empty."""
    endpoint: EndpointConfig
    """The model. Keep it greedy, so that scores are reproducible."""
    longest_reply: int = Field(8_000, ge=100)
    """The judge sees this many last characters of a reply."""
