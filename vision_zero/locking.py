"""One run at a time on one machine: a lock that the operating system releases when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vision_zero.errors import PromotionError

_held: dict[Path, int] = {}


def hold(path: Path, name: str) -> None:
    """Take the lock file and keep it until this process ends. Taking it again in the same process does nothing.

    Raises:
        PromotionError: another process holds it.
    """
    path = path.resolve()
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
        os.close(handle)
        raise PromotionError(f"{holder} is still running: wait until it ends, then start this run again") from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"run {name} (process {os.getpid()})".encode(), 0)
    _held[path] = handle
