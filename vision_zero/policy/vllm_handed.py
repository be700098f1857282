"""What vLLM servers are handed as files, in a folder that this process and they share: an adapter, or all weights.

A server holds many adapters, each under its own name, beside the base. It holds one set of all weights: new ones replace those
that it was started with, under the same model name, so a server that restarts would answer as the base without any request
failing. vLLM has a version for them, which is ``default`` after a start; it is set here and looked at around each turn. Paths as
in vLLM 0.32; those of all weights exist with VLLM_SERVER_DEV_MODE=1.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from vision_zero.config.endpoint import VllmConfig
from vision_zero.errors import PolicyError, VisionZeroError, first_line
from vision_zero.policy.folder import ADAPTER_FILES
from vision_zero.policy.openai_client import PASSING, Server
from vision_zero.policy.vllm_server import AS_STARTED, beside, served_models, weight_version

_LOGGER = logging.getLogger(__name__)
_PREFIX = "vision-zero-"
_NO_LORA = "start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and let it see {folder}"
_NO_WEIGHTS = "all weights need vLLM 0.32 or newer, started with VLLM_SERVER_DEV_MODE=1"
_ONE_RUN = "give each run its own servers"
_ONCE = PASSING - {500}
"""Statuses after which loading is tried again: a server answers 500 for what it will refuse each time."""
SECONDS_TO_LOAD = 600.0
"""Timeout of loading all weights, tried once: other processes of a run wait 15 minutes for the one that hands them over."""
_LOADING = "-loading"
"""Follows the version of weights that a server has not taken over completely."""


@dataclass(frozen=True)
class Handed(ABC):
    """Files in the shared folder, and the servers that load them.

    A lock on a file beside their folder is held while they are in use; the operating system releases it with the process, so that
    other processes can tell what was left by a killed one.

    Attributes:
        folder: the files; its name is unique, and the servers' name for what is in them.
    """

    config: VllmConfig
    folder: Path
    lock: FileLock
    what: ClassVar[str]
    """For messages."""

    @classmethod
    def of(cls, config: VllmConfig, write: Callable[[Path], object]) -> Self:
        """Write the files into a new folder; they are not loaded yet.

        Raises:
            PolicyError: they cannot be written there.
        """
        shared = _shared_folder(config)
        folder = shared / f"{_PREFIX}{secrets.token_hex(6)}"
        handed = cls(config, folder, _lock_of(folder))
        try:
            if not shared.is_dir():  # a lock would make it
                raise NotADirectoryError(f"there is no folder {shared}")
            handed.lock.acquire()  # before there is a folder that could be taken for an abandoned one
            folder.mkdir()
            write(folder)
        except (OSError, SafetensorError) as error:
            _remove(folder, handed.lock)
            raise PolicyError(f"policy.server.adapters cannot take {cls.what} of a policy: {first_line(error)}") from error
        return handed

    @property
    def version(self) -> str:
        """The servers' name for it."""
        return self.folder.name

    @abstractmethod
    def load(self) -> None:
        """Let all servers load it.

        Raises:
            PolicyError: one refuses it; the files are removed.
        """

    def unload(self) -> None:
        """The servers no longer need it: remove its files."""
        _remove(self.folder, self.lock)


class HandedAdapter(Handed):
    """An adapter; servers know it by its folder's name until it is unloaded."""

    what = "the adapter"

    @classmethod
    def copied(cls, config: VllmConfig, files: Path) -> HandedAdapter:
        """That of a folder; see :meth:`of`."""

        def write(folder: Path) -> None:
            for name in ADAPTER_FILES:
                shutil.copyfile(files / name, folder / name)

        return cls.of(config, write)

    def load(self) -> None:
        """As of any :class:`Handed`; where one server refuses it, it is unloaded from the others."""
        for number, server in enumerate(self.config.servers):
            try:
                self.load_on(server)
            except PolicyError:
                self._unload_from(self.config.servers[:number])
                raise

    def load_on(self, server: VllmConfig) -> None:
        """Let one of the servers load it.

        Raises:
            PolicyError: it refuses it.
        """
        client = Server(server, PolicyError, passing=_ONCE)
        try:
            client.post("load_lora_adapter", {"lora_name": self.version, "lora_path": str(self.folder)}, bytes)
        except PolicyError as error:
            raise PolicyError(f"{error}; {self._advice(str(error))}") from error

    def is_on(self, server: VllmConfig) -> bool:
        """Has one of the servers loaded it?"""
        return self.version in served_models(server)

    def unload(self) -> None:
        """Unload it from the servers that answer, and remove its files."""
        self._unload_from(self.config.servers)

    def _unload_from(self, servers: Iterable[VllmConfig]) -> None:
        for server in servers:
            _unload(server, self.version)
        super().unload()

    def _advice(self, refusal: str) -> str:
        if "rank" in refusal.lower():
            rank = json.loads((self.folder / "adapter_config.json").read_text(encoding="utf-8"))["r"]
            return f"start it with --max-lora-rank {rank} or more (vLLM's default is 16)"
        return _NO_LORA.format(folder=self.config.adapters)


class HandedWeights(Handed):
    """All weights, which replace those of the servers."""

    what = "the weights"

    @classmethod
    def of_another_process(cls, config: VllmConfig, version: str) -> HandedWeights:
        """Those that another process of this run has handed over, and will remove."""
        folder = _shared_folder(config) / version
        return cls(config, folder, _lock_of(folder))

    def load(self) -> None:
        """As of any :class:`Handed`, on all servers at the same time."""
        try:
            with ThreadPoolExecutor(len(self.config.servers)) as pool:
                list(pool.map(self._load_on, self.config.servers))
        except PolicyError:
            self.unload()
            raise

    def _load_on(self, server: VllmConfig) -> None:
        before = weight_version(server)
        if before is None:
            raise PolicyError(f"{server.url} does not name its weights: {_NO_WEIGHTS}")
        if _is_in_use(_shared_folder(self.config) / Path(before.removesuffix(_LOADING)).name):
            raise PolicyError(f"{server.url} holds the weights {before}, which another policy samples with: {_ONE_RUN}")
        client = beside(server, passing=_ONCE)
        client.post("update_weight_version", {"new_version": f"{self.version}{_LOADING}"}, bytes)
        reload = {"method": "reload_weights", "kwargs": {"weights_path": str(self.folder)}}
        try:
            beside(server, tries=1, timeout=SECONDS_TO_LOAD).post("collective_rpc", reload, bytes)
        except PolicyError as error:
            raise PolicyError(f"{error}; does it see {self.config.adapters}? Restart it: some weights may be replaced") from error
        # What was computed with the old weights, and what the workers have dropped with them.
        client.post("reset_prefix_cache", {}, _succeeded)
        client.post("reset_encoder_cache", {}, bytes)
        client.post("reset_mm_cache", {}, bytes)
        check_weights(server, f"{self.version}{_LOADING}")
        client.post("update_weight_version", {"new_version": self.version}, bytes)


def check_weights(server: VllmConfig, expected: str) -> None:
    """Check that a server holds the weights of that version; one that does not say counts as one that has those of its start.

    Raises:
        PolicyError: it holds others.
    """
    version = weight_version(server) or AS_STARTED
    if version == expected:
        return
    if expected == AS_STARTED:
        raise PolicyError(
            f"{server.url} does not hold the weights that it was started with, but those of a run that trains all weights "
            f"({version}): restart it"
        )
    if version == AS_STARTED:
        raise PolicyError(
            f"{server.url} has lost the weights {expected}, as after a restart: run again, which continues after the last "
            "complete stage"
        )
    raise PolicyError(f"{server.url} was handed the weights {version} instead of {expected}: {_ONE_RUN}")


def _is_in_use(folder: Path) -> bool:
    """Does a process hold the files of these weights?"""
    if not folder.is_dir():
        return False
    lock = _acquired(folder)
    if lock is None:
        return True
    lock.release()
    return False


def remove_abandoned(config: VllmConfig, served: Mapping[VllmConfig, Iterable[str]]) -> list[str]:
    """Unload the adapters of killed processes, and remove the files that these have left; the names of what was removed.

    Args:
        served: what each server serves.
    """
    abandoned = []
    for folder in sorted(_shared_folder(config).glob(f"{_PREFIX}*/")):
        lock = _acquired(folder)
        if lock is None:
            continue
        for server, models in served.items():
            if folder.name in models:
                _unload(server, folder.name)
        _remove(folder, lock)
        abandoned.append(folder.name)
    if abandoned:
        urls = " and ".join(server.url for server in served)
        _LOGGER.warning("what %d killed processes left is removed, and their adapters are unloaded from %s", len(abandoned), urls)
    return abandoned


def _shared_folder(config: VllmConfig) -> Path:
    """Absolute, since a server has another working directory."""
    return Path(config.adapters).absolute()


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


def _acquired(folder: Path) -> FileLock | None:
    """The lock on a folder's files; None where a process uses them, or is removing them."""
    lock = _lock_of(folder)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return None
    return lock


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


def _succeeded(data: bytes) -> None:
    """Repeat the request until it has: a cache whose blocks are in use is not reset."""
    if not json.loads(data).get("success"):
        raise ValueError(f"not done: {data[:100]!r}")
