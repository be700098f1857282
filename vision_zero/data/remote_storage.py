"""Files of one location: a folder, s3://, the Hugging Face hub, or anything else that fsspec reads.

Remote files are read in ranges, each tried again when the connection fails, and kept in a cache folder under the name and version
that the listing gave: a file that was changed is read anew, one that was cut short never looks whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar

from fsspec import AbstractFileSystem, filesystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from vision_zero.data.storage_config import StorageConfig
from vision_zero.errors import PairsError, one_line
from vision_zero.fingerprints import digest, of_files

RANGE = 8 * 1024 * 1024
"""Bytes of one read of a remote file."""

_S3_OPTIONS: dict[str, Any] = {"config_kwargs": {"retries": {"max_attempts": 1}}}
"""s3fs and this module try again themselves; with botocore's own attempts inside, giving up would take a minute."""

_VERSIONS = (
    *("ETag", "etag", "sha256", "xet_hash", "blob_id", "oid", "md5Hash", "content_md5", "Content-MD5", "Digest"),
    *("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "modified", "created"),
)
"""What file systems call the content's own hash, and else the time of its last change; the first that is there counts."""

_LASTING = (errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR, errno.EINVAL)
"""What is wrong with a file itself, such as a link to itself: to try again does not help, and other files may be fine."""

_POINTER, _MOST_POINTER = b"version https://git-lfs", 1024
"""How the small files begin that a clone without Git LFS has instead of the large ones, and their largest size in bytes."""

_UNLISTED = "folders that may not be read"

T = TypeVar("T")


class ConnectionLostError(PairsError):
    """The files cannot be reached now; the same call may succeed later."""


class NotThereError(PairsError):
    """There is no such folder, bucket or file."""


@dataclass(frozen=True)
class Entry:
    """A file as it was listed.

    Attributes:
        path: below the location, with "/" between folders.
        address: the file system's own name for it.
        size: bytes; None where the file system does not tell.
        version: changes whenever the file does; empty where the file system tells nothing of the kind.
    """

    path: str
    address: str
    size: int | None
    version: str


class Storage:
    """The files of a location, listed once.

    Attributes:
        entries: the files by path, in order.
        chosen: the path of the one file that the location names, if it names a file; what lies beside it is listed too.
        left_out: folders on this machine that may not be read, with the reason as a key.

    Raises:
        NotThereError: the location does not exist.
        PairsError: it may not be listed; the options do not suit it.
        ConnectionLostError: the location cannot be reached.
    """

    def __init__(self, location: str, config: StorageConfig) -> None:
        if not location:
            raise PairsError("no location is given: set it to a folder, a file, or a URL such as s3://bucket/pairs")
        self.location = location
        self.config = config
        known = {**_S3_OPTIONS, **config.options} if location.startswith(("s3://", "s3a://")) else config.options
        try:
            self._files, self._root = file_system(location, known)
        except (ValueError, ImportError, TypeError, RuntimeError, OSError) as error:
            raise PairsError(f"{location} cannot be opened: {one_line(error)}") from error
        self.is_local = isinstance(self._files, LocalFileSystem)
        self.chosen: str | None = None
        self.left_out: dict[str, int] = {}
        self._fetched: set[Path] = set()
        try:
            self.entries = self._tried("", self._listed)
        except ValueError as error:
            # Of a hub's address that is none, and of a path with a null byte.
            raise PairsError(f"{location} cannot be read: {one_line(error)}: check the location") from error

    def read(self, path: str) -> bytes:
        """All bytes of a listed file.

        Raises:
            PairsError: there is no such file below the location, or it may not be read.
            ConnectionLostError: it cannot be reached.
        """
        entry = self.entry(path)
        if self.is_local:
            return self._tried(entry.path, lambda: bytes(self._files.cat_file(entry.address)))
        return self.local(path).read_bytes()

    def local(self, path: str) -> Path:
        """A file on this machine with the content of a listed one. Raises as ``read`` does."""
        entry = self.entry(path)
        if self.is_local:
            return Path(entry.address)
        name = hashlib.blake2b(f"{self._files.protocol}\n{entry.address}\n{entry.size}\n{entry.version}".encode(), digest_size=16)
        kept = self._cache / (name.hexdigest() + PurePosixPath(path).suffix)
        # Where nothing tells one version of a file from another, it is fetched anew by each process that asks for it.
        if not kept.exists() or (not entry.version and kept not in self._fetched):
            self._download(entry, kept)
            self._fetched.add(kept)
        return kept

    def tail(self, path: str, count: int) -> bytes:
        """The last bytes of a listed file, ``count`` of them or all; they are not kept. Raises as ``read`` does."""
        entry = self.entry(path)
        if entry.size is None:
            return self.read(path)[-count:]
        return self._tried(entry.path, partial(self._range, entry, max(0, entry.size - count), entry.size))

    def fingerprint(self) -> str:
        """Of all listed files, by content: of local ones see :func:`vision_zero.fingerprints.of_files`, of remote ones the
        version that the store gives to each content counts, or size and time where it gives none.
        """
        if self.is_local:
            return of_files({path: Path(entry.address) for path, entry in self.entries.items()})
        return digest(*(f"{path}\n{entry.size}\n{entry.version}" for path, entry in self.entries.items()))

    def entry(self, path: str) -> Entry:
        """The listed file of that path.

        Raises:
            PairsError: there is none, or only a pointer to it.
        """
        found = self.entries.get(path)
        if found is None:
            raise PairsError(f"{path}: no such file in {self.location}")
        is_small = self.is_local and found.size is not None and found.size < _MOST_POINTER
        if is_small and self._tried(path, lambda: self._files.cat_file(found.address)).startswith(_POINTER):
            raise PairsError(f"{path}: only the pointer of a file in Git LFS: fetch it with git lfs pull")
        return found

    @cached_property
    def _cache(self) -> Path:
        if self.config.cache is not None:
            folder = local_path(self.config.cache)
        else:
            folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vision-zero" / "files"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PairsError(f"the cache folder {folder} cannot be made: {one_line(error)}; set storage.cache") from error
        return folder

    def _listed(self) -> dict[str, Entry]:
        self._files.invalidate_cache()
        self.left_out = {}
        found = self._found(self._root)
        if list(found) == [self._root]:
            # What the file names lies beside it.
            self._root, _, self.chosen = self._root.rpartition("/")
            found = self._found(self._root)
        if not found and not self._files.exists(self._root):
            raise FileNotFoundError(self._root)
        files = {address: facts for address, facts in found.items() if facts.get("type") != "directory"}
        listed = (self._entry(address, facts) for address, facts in files.items())
        wanted = (entry for entry in listed if entry is not None and fnmatch(entry.path, self.config.pattern))
        return {entry.path: entry for entry in sorted(wanted, key=lambda entry: entry.path)}

    def _found(self, root: str, *above: Path) -> dict[str, dict[str, object]]:
        """Files below a folder, also in folders that links on this machine lead to, unless they lead back."""
        found: dict[str, dict[str, object]] = self._files.find(root, detail=True, withdirs=self.is_local)
        if self.is_local:
            for below in [address for address, facts in found.items() if facts.get("type") == "directory"]:
                del found[below]
                if not os.access(below, os.R_OK | os.X_OK):
                    self.left_out[_UNLISTED] = 1 + self.left_out.get(_UNLISTED, 0)
            above = (*above, Path(root).resolve())
            links = [Path(address) for address, facts in found.items() if facts.get("islink")]
            for folder in filter(Path.is_dir, links):
                del found[str(folder)]
                if not any(place.is_relative_to(folder.resolve()) for place in (*above, folder.parent.resolve())):
                    found |= self._found(str(folder), *above)
        return found

    def _entry(self, address: str, facts: dict[str, object]) -> Entry | None:
        """A listed file; one of which the listing gives no version, as HTML pages of files do, is asked for by itself."""
        entry = _entry(address, self._root, facts)
        if entry is None or entry.version or self.is_local:
            return entry
        return _entry(address, self._root, self._files.info(address))

    def _download(self, entry: Entry, target: Path) -> None:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                self._copy(entry, out)
            part.replace(target)
        except OSError as error:
            raise PairsError(f"{entry.path}: cannot be kept in {target.parent}: {one_line(error)}") from error
        finally:
            part.unlink(missing_ok=True)

    def _copy(self, entry: Entry, out: BinaryIO) -> None:
        done = 0
        while entry.size is None or done < entry.size:
            stop = done + RANGE if entry.size is None else min(done + RANGE, entry.size)
            data = self._tried(entry.path, partial(self._range, entry, done, stop))
            out.write(data)
            done += len(data)
            if len(data) != RANGE:
                return

    def _range(self, entry: Entry, start: int, stop: int) -> bytes:
        """A part of a file; of one on a web server that sends no parts, everything from ``start`` on."""
        data = bytes(self._files.cat_file(entry.address, start=start, end=stop))
        if len(data) > stop - start:
            data = data[start:]
        if entry.size is not None and len(data) < stop - start:
            raise ConnectionError(f"{len(data)} of {stop - start} bytes arrived")
        return data

    def _tried(self, path: str, act: Callable[[], T]) -> T:
        """The result of a call, made again when the connection fails."""
        name = f"{path} of {self.location}" if path else self.location
        for attempt in range(1, self.config.attempts + 1):
            try:
                return act()
            except (FileNotFoundError, NotADirectoryError) as error:
                raise NotThereError(f"{name}: there is no such folder, bucket or file: check the location") from error
            except PermissionError as error:
                raise PairsError(f"{name}: no permission ({one_line(error)}): check the credentials and their rights") from error
            except failures() as error:
                if getattr(error, "errno", None) in _LASTING:
                    raise PairsError(f"{name}: cannot be read: {one_line(error)}") from error
                if _lacks_credentials(error):
                    raise PairsError(f"{name}: no permission ({one_line(error)}): set the credentials") from error
                if attempt == self.config.attempts:
                    raise ConnectionLostError(
                        f"{name}: cannot be read, tried {attempt} times: {type(error).__name__}: {one_line(error)}"
                    ) from error
                time.sleep(self.config.wait_s * 2 ** (attempt - 1))
        raise AssertionError("config.attempts is at least 1")


def file_system(location: str, options: Mapping[str, Any]) -> tuple[AbstractFileSystem, str]:
    """The file system of a location, and its root there."""
    if "://" in location.removeprefix("file://"):
        files, root = url_to_fs(location, **options)
        return files, str(root)
    # Not by url_to_fs: it takes the "::" of a path for a chain of file systems.
    return filesystem("file", **options), str(local_path(location).absolute())


def local_path(location: str) -> Path:
    """The path of a folder or file on this machine, also of its ``file://`` address; "~" is the home folder."""
    path = location.removeprefix("file://")
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib's raises where a user is unknown


def _entry(address: str, root: str, facts: dict[str, object]) -> Entry | None:
    """A listed file; None for the empty objects that stand for folders in object stores."""
    below = address[len(root) :].lstrip("/")
    if not below or below.endswith("/"):
        return None
    size = facts.get("size")
    known = [str(facts[key]) for key in _VERSIONS if facts.get(key)]
    return Entry(below, address, int(size) if isinstance(size, int) else None, known[0] if known else "")


def failures() -> tuple[type[Exception], ...]:
    """What file systems raise when something on the way fails. Only those that are loaded can: loading them takes long."""
    found: list[type[Exception]] = [OSError, EOFError]
    for module, name in (
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("aiohttp", "ClientError"),
        ("httpx", "HTTPError"),
        ("httpx2", "HTTPError"),
    ):
        loaded = sys.modules.get(module)
        if loaded is not None:
            found.append(getattr(loaded, name))
    return tuple(found)


def address_failures() -> tuple[type[Exception], ...]:
    """What an address, a network or a store can be blamed for: ``failures``, and addresses or protocols that there are not."""
    return (*failures(), ValueError, ImportError)


def _lacks_credentials(error: Exception) -> bool:
    return "Credentials" in type(error).__name__
