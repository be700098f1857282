"""Writes folders and files atomically, and makes temporary folders."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp


def dir_of_process(purpose: str) -> Path:
    """A temporary folder that is removed when this process ends: for what must outlive the function that makes it."""
    folder = Path(mkdtemp(prefix=f"vision-zero-{purpose}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


_FRESH, _OLDER = ".new", ".old"
"""Ends of the names under which :func:`atomic_dir` keeps folders beside its target."""


def is_unfinished(folder: Path) -> bool:
    """Whether it is a folder that a killed process has left beside the target of :func:`atomic_dir`."""
    return folder.name.endswith((_FRESH, _OLDER))


@contextmanager
def atomic_dir(target: Path) -> Iterator[Path]:
    """A temporary folder beside ``target`` that is renamed to it if the block succeeds. Only then is an older folder moved
    aside, and removed last, so ``target`` is never incomplete, even after a kill. After one between the two renames it is
    missing, and the next call puts the older folder back first. If the block fails, the temporary folder is removed.

    Raises:
        OSError: the folder cannot be made, or the older one cannot be moved.
    """
    fresh, older = (target.with_name(target.name + end) for end in (_FRESH, _OLDER))
    if older.is_dir() and not target.exists():
        older.rename(target)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(older, ignore_errors=True)
    if target.is_dir():
        target.rename(older)
    fresh.rename(target)
    shutil.rmtree(older, ignore_errors=True)


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file or nothing: a reader never sees half of it, and an older file stays until then.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
