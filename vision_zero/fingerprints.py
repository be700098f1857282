"""Fingerprints: a cached result is found again by what it was made from, never by where that lay.

An address (a folder, a URL, a hub id) stays the same when the files behind it are replaced. Everything that is kept for later is
therefore keyed by content: the step cache, the answers of an evaluation, what was measured of a base, the models of an ablation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

READ_WHOLE = 1 << 30
"""Bytes of local files that are read for one fingerprint, smallest files first: about a second."""
_ENDS = 1 << 16
"""Bytes at both ends of a file that is not read whole."""
_PIECE = 1 << 22


def digest(*parts: bytes | str) -> str:
    """Thirty-two hexadecimal digits of these parts; ``("ab", "c")`` and ``("a", "bc")`` differ."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def of_files(files: Mapping[str, Path], read_whole: int = READ_WHOLE) -> str:
    """The fingerprint of local files by name.

    The smallest files are read whole, up to ``read_whole`` bytes in all: settings, templates, tokenizers and tables always,
    photos and weights as far as that is cheap. Of the others size, time of the last change and both ends count, so a copy of a
    large file with another time is taken for another one: what was kept is then made again, never the other way round. A file
    that cannot be read counts as such: whoever needs it says what is wrong with it.
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
    """The fingerprint of all files of a folder and below it, but for hidden ones and Markdown: nothing loads those."""
    paths = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() != ".md"}
    return of_files(
        {name.as_posix(): path for name, path in paths.items() if not any(part.startswith(".") for part in name.parts)}
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _content(path: Path) -> str:
    total = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            total.update(piece)
    return total.hexdigest()


def _outline(path: Path) -> str:
    facts = path.stat()
    with path.open("rb") as file:
        first = file.read(_ENDS)
        file.seek(max(facts.st_size - _ENDS, 0))
        return digest(f"{facts.st_size} {facts.st_mtime_ns}", first, file.read(_ENDS))
