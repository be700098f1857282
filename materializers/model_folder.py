"""Full models: the folder of an image-text-to-text model, file by file."""

from __future__ import annotations

from typing import Any, ClassVar

from materializers.folders import FolderMaterializer
from vision_zero.policy.folder import BaseFolder


class ModelFolderMaterializer(FolderMaterializer):
    """Stores safetensors, JSON and text; other files in the folder are refused."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BaseFolder,)

    def load(self, data_type: type[Any]) -> BaseFolder:
        hashes = self._contents()
        for name in hashes:
            BaseFolder.check_name(name)
        return BaseFolder(self._get_files(hashes))
