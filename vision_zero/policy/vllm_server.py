"""vLLM servers: what they serve, which weights they hold, and whether they sleep.

Everything here is control: requests for completions are in :mod:`vision_zero.policy.vllm`, and the files that servers are handed
in :mod:`vision_zero.policy.vllm_handed`. Paths as in vLLM 0.32; those of weights and of sleep mode stand beside ``/v1`` and exist
with VLLM_SERVER_DEV_MODE=1. A configuration names one server or several; each of them is asked by settings of its own
(``VllmConfig.servers``), and an error names its URL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from vision_zero.config.endpoint import VllmConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.openai_client import PASSING, Server

AS_STARTED = "default"
"""vLLM's name for the weights that a server was started with."""
_FREED = 64 * 2**20
"""Bytes of GPU memory that sleep must free at least: any model has more."""
_NOT_THERE = (401, 403, 404, 405, 501)
"""Statuses of a path that a server, or a proxy before it, does not have."""
Told = TypeVar("Told")
_NO_SLEEP = "start it with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1, or set policy.server.sleeps false"


def ready(server: VllmConfig) -> dict[str, int | None]:
    """What a server serves that is ready to answer; see :func:`served_models`.

    Raises:
        PolicyError: it does not answer, does not serve ``config.model``, or is asleep and ``config.sleeps`` is not set.
    """
    served = served_models(server)
    if server.model not in served:
        raise PolicyError(
            f"{server.url} serves {', '.join(sorted(served)) or 'no model'}, and not policy.server.model {server.model!r}: "
            "set policy.server.model to the name of the base there (vLLM's --served-model-name)"
        )
    if not server.sleeps and is_asleep(server):
        raise PolicyError(f"{server.url} is asleep and would never answer: POST /wake_up there, or set policy.server.sleeps")
    return served


def served_models(server: VllmConfig) -> dict[str, int | None]:
    """Names of the base and the adapters on one server, each with its context length in tokens."""
    return Server(server, PolicyError).get("models", _models)


def is_asleep(server: VllmConfig) -> bool | None:
    """Whether one server sleeps; None if it does not say, because it was started without VLLM_SERVER_DEV_MODE=1.

    Raises:
        PolicyError: it does not answer.
    """
    return _told(server, "is_sleeping", "is_sleeping", bool)


def weight_version(server: VllmConfig) -> str | None:
    """The name of the weights that one server holds, ``AS_STARTED`` unless it was handed others; None if it does not say, because
    it was started without VLLM_SERVER_DEV_MODE=1 or is older.

    Raises:
        PolicyError: it does not answer.
    """
    return _told(server, "weight_info", "weight_version", str)


def _told(server: VllmConfig, path: str, name: str, kind: Callable[[Any], Told]) -> Told | None:
    """A value that a development path tells; None if the server does not have that path."""

    def read(data: bytes) -> Told:
        try:
            return kind(json.loads(data)[name])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no {name} in {data[:100]!r}") from error

    try:
        return beside(server).get(path, read)
    except PolicyError as error:
        if error.status in _NOT_THERE:
            return None
        raise


def wake_up(config: VllmConfig) -> None:
    """Wake the servers if they are configured to sleep, after freeing this process's cached GPU memory; idempotent."""
    if config.sleeps:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        for server in config.servers:
            _control(server, "wake_up")


def let_sleep(config: VllmConfig) -> None:
    """Put the servers to sleep if configured so: weights go to host memory, the prefix cache is dropped.

    Raises:
        PolicyError: one is awake afterwards, or they have freed no memory of this process's GPU.
    """
    if not config.sleeps:
        return
    slept, before = [is_asleep(server) for server in config.servers], _free_memory()
    for server in config.servers:
        _control(server, "sleep?level=1")
        if is_asleep(server) is False:
            raise PolicyError(f"{server.url} was told to sleep and is awake; {_NO_SLEEP}")
    after = _free_memory()
    if before is not None and after is not None and not all(slept) and after - before < _FREED:
        raise PolicyError(
            f"{config.url} sleeps, but has freed no memory of this process's GPU: leave policy.server.sleeps out if the server "
            "is on another GPU; else vLLM's sleep mode does not work on this machine"
        )


def _control(server: VllmConfig, path: str) -> None:
    try:
        beside(server).post(path, {}, bytes)
    except PolicyError as error:
        raise PolicyError(f"{error}; {_NO_SLEEP}") from error


def beside(server: VllmConfig, passing: frozenset[int] = PASSING, **changes: Any) -> Server:
    """A client for the paths that stand beside ``/v1``, not under it.

    Args:
        passing: see :class:`Server`.
        changes: to the settings.
    """
    root = {"url": server.url.rstrip("/").removesuffix("/v1")}
    return Server(server.model_copy(update={**root, **changes}), PolicyError, passing)


def _models(data: bytes) -> dict[str, int | None]:
    try:
        return {model["id"]: model.get("max_model_len") for model in json.loads(data)["data"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no list of models in {data[:100]!r}") from error


def _free_memory() -> int | None:
    """Free bytes of this process's GPU; None without one."""
    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else None
