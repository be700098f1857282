"""Folders of files in the artifact store, with a list of their names and hashes beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer, digest_of
from vision_zero.atomic_dir import dir_of_process
from vision_zero.errors import PolicyError
from vision_zero.policy.folder import CARD, BaseFolder, PolicyFolder

CONTENTS = "contents.json"
"""Names and hashes of the files; written last, so an artifact without it is incomplete."""
_Hashes = TypeAdapter(dict[str, str])
_HEAD = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)


class FolderMaterializer(FileMaterializer):
    """Stores the files of a model's folder, and loads them only if they are unchanged."""

    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    SKIP_REGISTRATION: ClassVar[bool] = True
    NEEDED: ClassVar[tuple[str, ...]] = (CONTENTS,)

    def save(self, data: PolicyFolder | BaseFolder) -> None:
        hashes = {}
        for name in data.files():
            assert data.path is not None
            self._put(data.path / name, name)
            hashes[name] = digest_of(data.path / name)
        self._write_text(CONTENTS, json.dumps(hashes, indent=1))

    def save_visualizations(self, data: PolicyFolder | BaseFolder) -> dict[str, VisualizationType]:
        """The model card, if there is one, without its YAML header, which the dashboard does not format."""
        if data.path is None:
            text = "# The untrained base\n\nNothing has been trained yet: the policy is the base without an adapter."
        elif (data.path / CARD).is_file():
            text = (data.path / CARD).read_text(encoding="utf-8")
        else:
            return {}
        return {self._write_text("card.md", _HEAD.sub("", text)): VisualizationType.MARKDOWN}

    def extract_metadata(self, data: PolicyFolder | BaseFolder) -> dict[str, Any]:
        if data.path is None:
            return {}
        return {"megabytes": round(sum((data.path / name).stat().st_size for name in data.files()) / 1e6, 2)}

    def _contents(self) -> dict[str, str]:
        """Hashes by file name."""
        return self._parsed(CONTENTS, _Hashes.validate_json)

    def _get_files(self, hashes: Mapping[str, str]) -> Path:
        """A temporary folder with the files; it is kept until the process ends, since training continues from it.

        Raises:
            PolicyError: a file was changed.
        """
        folder = dir_of_process("policy")
        for name, expected in hashes.items():
            self._get(name, folder / name)
            if digest_of(folder / name) != expected:
                raise PolicyError(f"{name} of the artifact {self.uri} was changed after it was stored: do not use it")
        return folder
