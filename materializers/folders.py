"""Folders of files in the artifact store, with a list of their names and hashes beside them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError
from zenml.enums import VisualizationType

from materializers.files import FileMaterializer, digest_of
from vision_zero.errors import PolicyError

CONTENTS = "contents.json"
"""Names and hashes of the files; written last, so an artifact without it is incomplete."""
_Hashes = TypeAdapter(dict[str, str])
_HEAD = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)


class FolderMaterializer(FileMaterializer):
    """Stores named files of a folder, and loads them only if they are unchanged."""

    SKIP_REGISTRATION: ClassVar[bool] = True
    NEEDED: ClassVar[tuple[str, ...]] = (CONTENTS,)

    def _put_files(self, folder: Path | None, names: Iterable[str]) -> None:
        hashes = {}
        for name in names:
            assert folder is not None
            self._put(folder / name, name)
            hashes[name] = digest_of(folder / name)
        self._write_text(CONTENTS, json.dumps(hashes, indent=1))

    def _write_card(self, text: str) -> dict[str, VisualizationType]:
        """A model card as preview, without its YAML header, which the dashboard does not format."""
        return {self._write_text("card.md", _HEAD.sub("", text)): VisualizationType.MARKDOWN}

    def _contents(self) -> dict[str, str]:
        """Hashes by file name.

        Raises:
            PolicyError: the list is missing or invalid.
        """
        if not self._has(CONTENTS):
            raise PolicyError(f"the artifact {self.uri} is incomplete: it has no {CONTENTS}; use an earlier version")
        try:
            return _Hashes.validate_json(self._read_text(CONTENTS))
        except ValidationError as error:
            raise PolicyError(
                f"{CONTENTS} of the artifact {self.uri} is not a list of names and hashes: use an earlier version"
            ) from error

    def _get_files(self, hashes: Mapping[str, str]) -> Path:
        """A temporary folder with the files; it is kept after this call, since training continues from it.

        Raises:
            PolicyError: a file is missing or was changed.
        """
        folder = Path(tempfile.mkdtemp(prefix="vision-zero-policy-"))
        for name, expected in hashes.items():
            if not self._has(name):
                raise PolicyError(f"the artifact {self.uri} is incomplete: it has no {name}; use an earlier version")
            self._get(name, folder / name)
            if digest_of(folder / name) != expected:
                raise PolicyError(f"{name} of the artifact {self.uri} was changed after it was stored: do not use it")
        return folder
