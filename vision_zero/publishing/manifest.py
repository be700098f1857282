"""``contents.json``: what was published to a place, file by file. Only what it lists is ever replaced or removed there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError

from vision_zero.config.base import Config
from vision_zero.errors import PublishError
from vision_zero.policy.folder import BaseFolder

CONTENTS = "contents.json"
_PLAIN = re.compile(r"\w[\w.-]*")
_BLOCK = 1 << 20


def _plain(name: str) -> str:
    if not _PLAIN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a file")
    return name


Name = Annotated[str, AfterValidator(_plain)]


class Listed(Config):
    """A published file."""

    bytes: int = Field(ge=0)
    sha256: str


class Manifest(Config):
    """What is at a place."""

    folder: Name | None = None
    """In a bucket: the folder that the files are in; null: they are beside this list."""
    files: dict[Name, Listed] = Field(default_factory=dict)
    """The published files."""
    unfinished: tuple[Name, ...] = ()
    """Further files that may be there, because a publication to a folder was cut off."""

    @classmethod
    def of(cls, built: BaseFolder) -> Self:
        """Of a folder that is to be published."""
        return cls(files={name: Listed(bytes=path.stat().st_size, sha256=file_sha256(path)) for name, path in _paths(built)})

    @classmethod
    def parse(cls, data: bytes, address: str) -> Self:
        """From the file at that address.

        Raises:
            PublishError: it is none of these lists.
        """
        refusal = PublishError(f"{address} does not list what was published there: nothing is touched; name another target")
        try:
            listed = cls.model_validate_json(data)
        except ValidationError as error:
            raise refusal from error
        if not listed.files and not listed.unfinished:  # publishing writes none that is empty
            raise refusal
        return listed

    def text(self) -> str:
        """As it is written."""
        return self.model_dump_json(indent=1, exclude_defaults=True)

    def mark(self) -> str:
        """Sixteen hexadecimal digits that tell these files from others."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:16]

    def changed(self, folder: Path) -> set[str]:
        """Of the files that it lists, those that are there with another content, or are no files any more.

        After a publication that was cut off nobody can tell, and none are.
        """
        there = [] if self.unfinished else [(folder / name, listed) for name, listed in self.files.items()]
        return {
            path.name
            for path, listed in there
            if path.exists()
            and not (path.is_file() and path.stat().st_size == listed.bytes and file_sha256(path) == listed.sha256)
        }

    @property
    def own(self) -> set[str]:
        """Names of all that may be removed."""
        return {CONTENTS, *self.files, *self.unfinished}


def named(names: Iterable[str]) -> str:
    """A few of those names, and how many there are."""
    listed = sorted(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


def _paths(built: BaseFolder) -> list[tuple[str, Path]]:
    return [(name, built.path / name) for name in built.files()]


def file_sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal digits."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()
