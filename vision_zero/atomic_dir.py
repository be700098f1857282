"""Folders that are there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_dir(target: Path) -> Iterator[Path]:
    """A fresh folder beside ``target`` that takes its place when the block ends well; only then is an older
    one moved aside, and removed last: whenever this is killed, no part of a folder stands where a folder is looked for. Where the
    block ends badly, nothing of the fresh one is left.

    Raises:
        OSError: the folder cannot be made, or the older one cannot be moved.
    """
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    older = target.with_name(target.name + ".old")
    shutil.rmtree(older, ignore_errors=True)
    if target.is_dir():
        target.rename(older)
    fresh.rename(target)
    shutil.rmtree(older, ignore_errors=True)
