"""Whole models: the folder of an image-text-to-text model, file by file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer, digest
from vision_zero.errors import PolicyError
from vision_zero.policy.folder import CARD, BaseFolder

CONTENTS = "contents.json"


class BaseMaterializer(FileMaterializer):
    """Stores safetensors, JSON and text; anything else in the folder is refused."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BaseFolder,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def save(self, data: BaseFolder) -> None:
        names = data.files()
        for name in names:
            self._put(data.path / name, name)
        hashes = {name: digest((data.path / name).read_bytes()) for name in names}
        self._write_text(CONTENTS, json.dumps(hashes, indent=1))

    def load(self, data_type: type[Any]) -> BaseFolder:
        if not self._has(CONTENTS):
            raise PolicyError(f"the model artifact {self.uri} is incomplete: it has no {CONTENTS}; use an earlier version")
        folder = Path(tempfile.mkdtemp(prefix="vision-zero-base-"))
        for name, expected in json.loads(self._read_text(CONTENTS)).items():
            BaseFolder.check_name(name)
            self._get(name, folder / name)
            if digest((folder / name).read_bytes()) != expected:
                raise PolicyError(f"{name} of the model artifact {self.uri} was changed after it was stored: do not use it")
        return BaseFolder(folder)

    def save_visualizations(self, data: BaseFolder) -> dict[str, VisualizationType]:
        card = data.path / CARD
        if not card.is_file():
            return {}
        return {self._write_text("card.md", card.read_text(encoding="utf-8")): VisualizationType.MARKDOWN}

    def extract_metadata(self, data: BaseFolder) -> dict[str, Any]:
        return {"megabytes": round(sum((data.path / name).stat().st_size for name in data.files()) / 1e6, 2)}
