"""The files of a location, with the members of its tar archives (WebDataset's shards) as if they were unpacked."""

from __future__ import annotations

import posixpath
import re
import tarfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import unquote

from vision_zero.data.file_naming import IMAGE_SUFFIXES, is_image
from vision_zero.data.remote_storage import ConnectionLostError, Storage
from vision_zero.errors import PairsError, one_line

UNREAD = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".rar")
PACKED = "compressed files, which are not read: unpack them, or make plain .tar archives"
"""Why they are left out."""
_HIDDEN_FOLDERS = ("__MACOSX",)


_ELSEWHERE = re.compile(r"/|\.\./|[A-Za-z]:/")


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

    @property
    def chosen(self) -> str | None:
        """The one file that the location names, if that is no archive.

        Raises:
            PairsError: it is a compressed one.
        """
        name = self._storage.chosen
        if name is not None and name.lower().endswith(UNREAD):
            raise PairsError(
                f"{self.location} is one of the compressed files, which are not read: unpack it, or make a plain .tar archive"
            )
        return None if name is None or name.lower().endswith(".tar") else name

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

        Tried are: beside the table (``folder``), below the location, and, where exactly one fits, anywhere below it; also if
        the text has other capitals, or no suffix.

        Raises:
            PairsError: several files fit equally well.
        """
        if name not in self._storage.entries:
            name = _path_of(name)
        for tried in (posixpath.normpath(posixpath.join(folder, name)), posixpath.normpath(name)):
            if tried in self._storage.entries:
                return tried
        parts = [part for part in posixpath.normpath(name).split("/") if part not in ("", ".", "..")]
        if not parts:
            return None
        # An absolute path, or one that leads elsewhere, is one of somebody else's machine: its end may be one of ours.
        is_elsewhere = _ELSEWHERE.match(posixpath.normpath(name)) is not None
        indexes = (self._by_name, self._by_lower_name, *([] if _suffix_of_image(name) else [self._by_stem]))
        for index in indexes:
            for start in range(max(1, len(parts) - 1) if is_elsewhere else 1):
                fitting = index.fitting("/".join(parts[start:]))
                if len(fitting) == 1:
                    return fitting[0]
                if fitting:
                    raise PairsError(f"{name}: {len(fitting)} files in {self.location} have that name, such as {fitting[0]}")
        return None

    @cached_property
    def _by_name(self) -> _Index:
        return _Index(self.paths, lambda path: unicodedata.normalize("NFC", path))

    @cached_property
    def _by_lower_name(self) -> _Index:
        return _Index(self.paths, _folded)

    @cached_property
    def _by_stem(self) -> _Index:
        """Images alone, for other files of that name lie beside them."""
        return _Index(filter(is_image, self.paths), lambda path: _folded(path).removesuffix(_suffix_of_image(path)))

    @cached_property
    def _plain(self) -> list[str]:
        paths = list(self._storage.entries)
        if self._storage.chosen is not None and self._storage.chosen.lower().endswith(".tar"):
            paths = [self._storage.chosen]
        shown = [path for path in paths if not is_hidden(path)]
        self._leave_out(len(paths) - len(shown), "hidden files")
        packed = [path for path in shown if path.lower().endswith(UNREAD)]
        self._leave_out(len(packed), PACKED)
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
        """The members of an archive; a link is the earlier member that it names."""
        known: dict[str, _Member] = {}
        with tarfile.open(self._storage.local(archive), "r:") as opened:
            for member in opened:
                name = posixpath.normpath(member.name.lstrip("/"))
                if member.isfile():
                    known[name] = _Member(archive, member.offset_data, member.size)
                elif member.islnk() or member.issym():
                    beside = posixpath.dirname(name) if member.issym() else ""
                    linked = known.get(posixpath.normpath(posixpath.join(beside, member.linkname)))
                    if linked is None:
                        self._leave_out(1, "links of archives to no earlier member")
                        continue
                    known[name] = linked
                else:
                    continue
                if is_hidden(name):
                    self._leave_out(1, "hidden files")
                else:
                    yield f"{archive}/{name}", known[name]

    def _leave_out(self, count: int, reason: str) -> None:
        if count:
            self.left_out[reason] = count + self.left_out.get(reason, 0)


def is_hidden(path: str) -> bool:
    """Whether a file is a system's own: ``._0001.png``, ``.DS_Store``, or inside ``__MACOSX`` or ``.ipynb_checkpoints``."""
    return any(part.startswith(".") or part in _HIDDEN_FOLDERS for part in PurePosixPath(path).parts)


class _Index:
    """Paths by the ends of their keys."""

    def __init__(self, paths: Iterable[str], key: Callable[[str], str]) -> None:
        self._key = key
        self._found: dict[str, list[tuple[str, str]]] = {}
        for path in paths:
            own = key(path)
            self._found.setdefault(own.rpartition("/")[2], []).append((own, path))

    def fitting(self, end: str) -> list[str]:
        """The paths whose key is ``end``, or ends with it after a "/"."""
        wanted = self._key(end)
        known = self._found.get(wanted.rpartition("/")[2], ())
        return [path for own, path in known if own == wanted or own.endswith("/" + wanted)]


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).lower()


def _path_of(text: str) -> str:
    """The path that a text names: without spaces around it, of an address of a file, and with "/" between folders."""
    text = text.strip()
    if text.lower().startswith("file:"):
        text = unquote(re.sub(r"^file:(?://(?:localhost)?(?=/))?", "", text, flags=re.IGNORECASE).removeprefix("//"))
    return text.replace("\\", "/")


def _suffix_of_image(path: str) -> str:
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if suffix in IMAGE_SUFFIXES else ""
