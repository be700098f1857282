"""vLLM servers: what they serve, whether they sleep, and the adapters that they are handed as files.

Everything here is control: requests for completions are in :mod:`vision_zero.policy.vllm`. Paths as in vLLM 0.32; those of sleep
mode stand beside ``/v1`` and exist with VLLM_SERVER_DEV_MODE=1. A configuration names one server or several; each of them is
asked by settings of its own (``VllmConfig.servers``), and an error names its URL.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from vision_zero.config.endpoint import VllmConfig
from vision_zero.errors import PolicyError, VisionZeroError
from vision_zero.policy.folder import ADAPTER_FILES
from vision_zero.policy.openai_client import PASSING, Server

_LOGGER = logging.getLogger(__name__)
_PREFIX = "vision-zero-"
_FREED = 64 * 2**20
"""Bytes of GPU memory that sleep must free at least: any model has more."""
_NO_SLEEP = "start it with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1, or set policy.server.sleeps false"
_NO_LORA = "start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and let it see {folder}"


@lru_cache
def contact(config: VllmConfig) -> int | None:
    """The shortest context length of the servers in tokens, None if none says; asked once per process.

    Adapters that killed processes left on the servers are unloaded.

    Raises:
        PolicyError: a server does not answer, does not serve ``config.model``, or is asleep and ``config.sleeps`` is not set.
    """
    served = {server: _ready(server) for server in config.servers}
    unload_abandoned(config, {server: set(models) for server, models in served.items()})
    contexts = (models[config.model] for models in served.values())
    return min((context for context in contexts if context is not None), default=None)


def _ready(server: VllmConfig) -> dict[str, int | None]:
    """What a server serves that is ready to answer."""
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
    """Whether one server sleeps; None if it does not say, because it was started without VLLM_SERVER_DEV_MODE=1."""
    try:
        return bool(_beside(server, tries=1).get("is_sleeping", lambda data: json.loads(data)["is_sleeping"]))
    except PolicyError:
        return None


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


@dataclass(frozen=True)
class HandedAdapter:
    """An adapter in the folder that this process and the servers share.

    A lock on a file beside it is held while the adapter is in use; the operating system releases it with the process, so that
    other processes can tell what was left by a killed one.

    Attributes:
        folder: its files; the folder's name is the adapter's name on the servers.
    """

    config: VllmConfig
    folder: Path
    lock: FileLock

    @classmethod
    def of(cls, config: VllmConfig, files: Path) -> HandedAdapter:
        """Copy the adapter of a folder to the shared folder; it is not loaded yet.

        Raises:
            PolicyError: it cannot be written there.
        """
        shared = Path(config.adapters)
        folder = shared / f"{_PREFIX}{secrets.token_hex(6)}"
        try:
            if not shared.is_dir():  # a lock would make it
                raise NotADirectoryError(f"there is no folder {shared}")
            lock = _lock_of(folder)
            lock.acquire()  # before there is a folder that could be taken for an abandoned one
            folder.mkdir()
            for name in ADAPTER_FILES:
                shutil.copyfile(files / name, folder / name)
        except OSError as error:
            raise PolicyError(f"policy.server.adapters cannot take an adapter: {error}") from error
        return cls(config, folder, lock)

    def load(self) -> None:
        """Let all servers load it.

        Raises:
            PolicyError: one refuses it; it is unloaded from the others, and its files are removed.
        """
        loaded: list[VllmConfig] = []
        try:
            for server in self.config.servers:
                self.load_on(server)
                loaded.append(server)
        except PolicyError:
            self._unload(loaded)
            raise

    def load_on(self, server: VllmConfig) -> None:
        """Let one of the servers load it.

        Raises:
            PolicyError: it refuses it.
        """
        # A server answers 500 for what it will refuse each time, such as a rank that is too high.
        client = Server(server, PolicyError, passing=PASSING - {500})
        try:
            client.post("load_lora_adapter", {"lora_name": self.folder.name, "lora_path": str(self.folder)}, bytes)
        except PolicyError as error:
            raise PolicyError(f"{error}; {self._advice(str(error))}") from error

    def unload(self) -> None:
        """Unload it from the servers that answer, and remove its files."""
        self._unload(self.config.servers)

    def _unload(self, servers: Iterable[VllmConfig]) -> None:
        for server in servers:
            _unload(server, self.folder.name)
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        _release(self.lock)

    def _advice(self, refusal: str) -> str:
        if "rank" in refusal.lower():
            rank = json.loads((self.folder / "adapter_config.json").read_text(encoding="utf-8"))["r"]
            return f"start it with --max-lora-rank {rank} or more (vLLM's default is 16)"
        return _NO_LORA.format(folder=self.config.adapters)


def unload_abandoned(config: VllmConfig, served: Mapping[VllmConfig, set[str]]) -> list[str]:
    """Unload the adapters of killed processes, and remove their files; the names of what was unloaded.

    Args:
        served: what each server serves.
    """
    abandoned = []
    for folder in sorted(Path(config.adapters).glob(f"{_PREFIX}*/")):
        lock = _lock_of(folder)
        try:
            lock.acquire()
        except (Timeout, OSError):
            continue  # in use, or being removed by its process
        for server, models in served.items():
            if folder.name in models:
                _unload(server, folder.name)
        shutil.rmtree(folder, ignore_errors=True)
        _release(lock)
        abandoned.append(folder.name)
    if abandoned:
        urls = " and ".join(server.url for server in served)
        _LOGGER.warning("%d adapters of processes that were killed are unloaded from %s", len(abandoned), urls)
    return abandoned


def _unload(server: VllmConfig, name: str) -> None:
    try:
        Server(server.model_copy(update={"tries": 1, "timeout": 10.0}), PolicyError).post(
            "unload_lora_adapter", {"lora_name": name}, bytes
        )
    except VisionZeroError as error:
        _LOGGER.warning("the adapter %s stays on %s: %s", name, server.url, error)


def _lock_of(folder: Path) -> FileLock:
    # The garbage collector may release it in another thread.
    return FileLock(folder.with_suffix(".lock"), timeout=0, thread_local=False)


def _release(lock: FileLock) -> None:
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


def _control(server: VllmConfig, path: str) -> None:
    try:
        _beside(server).post(path, {}, bytes)
    except PolicyError as error:
        raise PolicyError(f"{error}; {_NO_SLEEP}") from error


def _beside(server: VllmConfig, **changes: Any) -> Server:
    """The server with paths that stand beside ``/v1``, not under it."""
    root = {"url": server.url.rstrip("/").removesuffix("/v1")}
    return Server(server.model_copy(update={**root, **changes}), PolicyError)


def _models(data: bytes) -> dict[str, int | None]:
    try:
        return {model["id"]: model.get("max_model_len") for model in json.loads(data)["data"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no list of models in {data[:100]!r}") from error


def _free_memory() -> int | None:
    """Free bytes of this process's GPU; None without one."""
    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else None
