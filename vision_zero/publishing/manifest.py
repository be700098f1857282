"""``contents.json``: the list of the files that were published to a target."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError

from vision_zero.config_base import Config
from vision_zero.errors import PublishError
from vision_zero.fingerprints import file_sha256
from vision_zero.policy.folder import BaseFolder

CONTENTS = "contents.json"
_PLAIN = re.compile(r"\w[\w.-]*")


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
    """The list of published files at a target."""

    folder: Name | None = None
    """In a bucket: the folder with the files; null: they are beside this list."""
    files: dict[Name, Listed] = Field(default_factory=dict)
    """The published files."""
    unfinished: tuple[Name, ...] = ()
    """Further files that an interrupted publication to a folder may have left."""

    @classmethod
    def of(cls, built: BaseFolder) -> Self:
        """The list for a folder that is to be published."""
        paths = {name: built.path / name for name in built.files()}
        return cls(files={name: Listed(bytes=path.stat().st_size, sha256=file_sha256(path)) for name, path in paths.items()})

    @classmethod
    def parse(cls, data: bytes, address: str) -> Self:
        """Read the list at an address.

        Raises:
            PublishError: the file is not such a list.
        """
        refusal = PublishError(f"{address} does not list what was published there: nothing is touched; name another target")
        try:
            listed = cls.model_validate_json(data)
        except ValidationError as error:
            raise refusal from error
        if not listed.files and not listed.unfinished:  # published lists are never empty
            raise refusal
        return listed

    def text(self) -> str:
        """The list as JSON text."""
        return self.model_dump_json(indent=1, exclude_defaults=True)

    def fingerprint(self) -> str:
        """Fingerprint of these files: sixteen hexadecimal digits."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:16]

    def changed(self, folder: Path) -> set[str]:
        """Listed files whose content was changed since, or that are no longer files.

        Empty after an interrupted publication, whose files may be old or new.
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
        """Names of all files that may be removed."""
        return {CONTENTS, *self.files, *self.unfinished}
