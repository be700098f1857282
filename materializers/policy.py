"""Trained policies: the adapter and its training state as safetensors and JSON, and the card as preview."""

from __future__ import annotations

from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.files import digest
from materializers.folders import FolderMaterializer
from vision_zero.policy.folder import ADAPTER_FILES, CARD, POLICY_FILES, PolicyFolder


class PolicyMaterializer(FolderMaterializer):
    """Only files of known names are stored and loaded; nothing in them is executable."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (PolicyFolder,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def save(self, data: PolicyFolder) -> None:
        self._put_files(data.path, data.files())

    def load(self, data_type: type[Any]) -> PolicyFolder:
        contents = self._contents()
        if not contents:
            return PolicyFolder(None)
        known = {name: contents[name] for name in POLICY_FILES if name in contents}
        return PolicyFolder(self._get_files(known)).checked()

    def save_visualizations(self, data: PolicyFolder) -> dict[str, VisualizationType]:
        if data.path is None:
            text = "# The bare base\n\nNothing has been trained yet: the policy is the base with no adapter."
        elif (data.path / CARD).is_file():
            text = (data.path / CARD).read_text(encoding="utf-8")
        else:
            return {}
        return self._write_card(text)

    def extract_metadata(self, data: PolicyFolder) -> dict[str, Any]:
        if data.path is None:
            return {"trained": False}
        size = sum((data.path / name).stat().st_size for name in data.files())
        return {"trained": True, "megabytes": round(size / 1e6, 2)}

    def compute_content_hash(self, data: PolicyFolder) -> str:
        if data.path is None:
            return digest(b"bare base")
        return digest(*((data.path / name).read_bytes() for name in data.files() if name in ADAPTER_FILES))
