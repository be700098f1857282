"""The files of a location, with the members of its tar archives (WebDataset's shards) as if they were unpacked."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from vision_zero.data.remote_storage import ConnectionLostError, Storage
from vision_zero.errors import PairsError, one_line

_UNREAD = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".7z", ".rar")
_HIDDEN_FOLDERS = ("__MACOSX",)


@dataclass(frozen=True, slots=True)
class _Member:
    """Where a member's bytes lie in its archive."""

    archive: str
    offset: int
    size: int


class FileSet:
    """Files by path. A member of ``shards/0.tar`` has a path such as ``shards/0.tar/0001.original.png``.

    Attributes:
        location: for messages.
        left_out: files that are not looked into, by reason.
        problems: archives that cannot be read, with the reason.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.location = storage.location
        self.left_out: dict[str, int] = {}
        self.problems: dict[str, str] = {}

    @cached_property
    def paths(self) -> list[str]:
        """The paths of all files, members of archives included, in order; hidden ones are left out."""
        found = [path for path in self._plain if PurePosixPath(path).suffix.lower() != ".tar"]
        return sorted([*found, *self._members])

    def read(self, path: str) -> bytes:
        """All bytes of a file.

        Raises:
            PairsError: there is none of that path, or it cannot be read.
        """
        if path in self._storage.entries:
            return self._storage.read(path)
        member = self._members.get(path)
        if member is None:
            raise PairsError(f"{path}: no such file in {self.location}")
        with self._storage.local(member.archive).open("rb") as archive:
            archive.seek(member.offset)
            data = archive.read(member.size)
        if len(data) != member.size:
            raise PairsError(f"{path}: the archive is cut short")
        return data

    def find(self, name: str, folder: str = "") -> str | None:
        """The path of the file that a text in a table names, or None.

        Tried are: beside the table (``folder``), below the location, and, where exactly one fits, anywhere below it.

        Raises:
            PairsError: several files fit equally well.
        """
        name = name.replace("\\", "/") if "\\" in name and name not in self._storage.entries else name
        for tried in (posixpath.normpath(posixpath.join(folder, name)), posixpath.normpath(name)):
            if tried in self._storage.entries:
                return tried
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            return None
        # An absolute path is one of somebody else's machine: its end may be one of ours.
        for start in range(max(1, len(parts) - 1) if name.startswith("/") else 1):
            end = "/".join(parts[start:])
            fitting = [path for path in self._by_name.get(parts[-1], ()) if path == end or path.endswith("/" + end)]
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                raise PairsError(f"{name}: {len(fitting)} files in {self.location} have that name, such as {fitting[0]}")
        return None

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    @cached_property
    def _plain(self) -> list[str]:
        paths = list(self._storage.entries)
        if self._storage.chosen is not None and self._storage.chosen.lower().endswith(".tar"):
            paths = [self._storage.chosen]
        shown = [path for path in paths if not is_hidden(path)]
        self._leave_out(len(paths) - len(shown), "hidden files")
        packed = [path for path in shown if path.lower().endswith(_UNREAD)]
        self._leave_out(len(packed), "compressed archives, which are not read: unpack them, or make them plain .tar files")
        return [path for path in shown if path not in packed]

    @cached_property
    def _members(self) -> dict[str, _Member]:
        found: dict[str, _Member] = {}
        for archive in self._plain:
            if PurePosixPath(archive).suffix.lower() == ".tar":
                try:
                    found.update(self._listed(archive))
                except ConnectionLostError:
                    raise
                except (tarfile.TarError, OSError, EOFError, PairsError) as error:
                    self.problems[archive] = f"not a readable tar archive ({one_line(error)})"
        return found

    def _listed(self, archive: str) -> Iterator[tuple[str, _Member]]:
        with tarfile.open(self._storage.local(archive), "r:") as opened:
            for member in opened:
                path = f"{archive}/{member.name.removeprefix('./').lstrip('/')}"
                if member.isfile() and not is_hidden(path):
                    yield path, _Member(archive, member.offset_data, member.size)

    def _leave_out(self, count: int, reason: str) -> None:
        if count:
            self.left_out[reason] = count


def is_hidden(path: str) -> bool:
    """Whether a file is a system's own: ``._0001.png``, ``.DS_Store``, or inside ``__MACOSX`` or ``.ipynb_checkpoints``."""
    return any(part.startswith(".") or part in _HIDDEN_FOLDERS for part in PurePosixPath(path).parts)
