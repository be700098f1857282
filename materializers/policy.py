"""Trained policies: adapter or weights and their training state as safetensors and JSON, and the card as preview."""

from __future__ import annotations

from typing import Any, ClassVar

from materializers.files import digest_of
from materializers.folders import FolderMaterializer
from vision_zero.fingerprints import digest
from vision_zero.policy.folder import BaseFolder, PolicyFolder, is_policy_file


class PolicyMaterializer(FolderMaterializer):
    """Only files of known names are stored and loaded; nothing in them is executable."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (PolicyFolder,)

    def load(self, data_type: type[Any]) -> PolicyFolder:
        contents = self._contents()
        if not contents:
            return PolicyFolder(None)
        known = {name: expected for name, expected in contents.items() if is_policy_file(name)}
        return PolicyFolder(self._get_files(known)).checked()

    def extract_metadata(self, data: PolicyFolder | BaseFolder) -> dict[str, Any]:
        return {"trained": data.path is not None, **super().extract_metadata(data)}

    def compute_content_hash(self, data: PolicyFolder) -> str:
        if data.path is None:
            return digest(b"bare base")
        return digest_of(*(data.path / name for name in data.weights()))
