"""Content fingerprints, the keys of all caches.

An address (a folder, a URL, a hub id) stays the same when its files are replaced. So caches are keyed by content: the step cache,
answers of evaluations, scores of the base, models of an ablation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

READ_WHOLE = 1 << 30
"""Bytes of local files that are read in full for one fingerprint, smallest files first; takes about a second."""
_ENDS = 1 << 16
"""Bytes read at both ends of a larger file."""


def digest(*parts: bytes | str) -> str:
    """Fingerprint of these parts: 32 hexadecimal digits. ``("ab", "c")`` and ``("a", "bc")`` differ."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def of_files(files: Mapping[str, Path], read_whole: int = READ_WHOLE) -> str:
    """Fingerprint of local files by name.

    The smallest files are read in full, up to ``read_whole`` bytes in total. Of the others size, modification time and both ends
    count, so a copy of a large file with another time is a cache miss. An unreadable file counts as unreadable; the code that
    needs it reports the error.
    """
    parts: dict[str, str] = {}
    for size, name, path in sorted((_size(path), name, path) for name, path in files.items()):
        read_whole -= size
        try:
            parts[name] = _content(path) if read_whole >= 0 else _outline(path)
        except OSError:
            parts[name] = "unreadable"
    return digest(*(part for name in sorted(parts) for part in (name, parts[name])))


def of_folder(folder: Path) -> str:
    """Fingerprint of all files in and below a folder, except hidden files and Markdown, which are never loaded."""
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() != ".md"}
    return of_files(
        {name.as_posix(): path for name, path in paths.items() if not any(part.startswith(".") for part in name.parts)}
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content in hexadecimal, as manifests have it and others can recompute it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _outline(path: Path) -> str:
    facts = path.stat()
    with path.open("rb") as file:
        first = file.read(_ENDS)
        file.seek(max(facts.st_size - _ENDS, 0))
        return digest(f"{facts.st_size} {facts.st_mtime_ns}", first, file.read(_ENDS))
