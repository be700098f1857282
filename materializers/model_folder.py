"""Full models: the folder of an image-text-to-text model, file by file."""

from __future__ import annotations

from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.folders import FolderMaterializer
from vision_zero.policy.folder import CARD, BaseFolder


class ModelFolderMaterializer(FolderMaterializer):
    """Stores safetensors, JSON and text; other files in the folder are refused."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BaseFolder,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def save(self, data: BaseFolder) -> None:
        self._put_files(data.path, data.files())

    def load(self, data_type: type[Any]) -> BaseFolder:
        hashes = self._contents()
        for name in hashes:
            BaseFolder.check_name(name)
        return BaseFolder(self._get_files(hashes))

    def save_visualizations(self, data: BaseFolder) -> dict[str, VisualizationType]:
        card = data.path / CARD
        if not card.is_file():
            return {}
        return self._write_card(card.read_text(encoding="utf-8"))

    def extract_metadata(self, data: BaseFolder) -> dict[str, Any]:
        return {"megabytes": round(sum((data.path / name).stat().st_size for name in data.files()) / 1e6, 2)}
