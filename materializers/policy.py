"""Trained policies: adapter or weights and their training state as safetensors and JSON, and the card as preview."""

from __future__ import annotations

from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.files import digest_of
from materializers.folders import FolderMaterializer
from vision_zero.fingerprints import digest
from vision_zero.policy.folder import CARD, PolicyFolder, is_policy_file


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
        known = {name: expected for name, expected in contents.items() if is_policy_file(name)}
        return PolicyFolder(self._get_files(known)).checked()

    def save_visualizations(self, data: PolicyFolder) -> dict[str, VisualizationType]:
        if data.path is None:
            text = "# The untrained base\n\nNothing has been trained yet: the policy is the base without an adapter."
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
        return digest_of(*(data.path / name for name in data.weights()))
