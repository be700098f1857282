"""Trained policies: the adapter and its training state as safetensors and JSON, and the card as preview."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer, digest
from vision_zero.errors import PolicyError
from vision_zero.policy.folder import ADAPTER_FILES, CARD, POLICY_FILES, PolicyFolder

CONTENTS = "contents.json"
"""Names and hashes of the files; written last, so an artifact without it was cut off while it was stored."""


class PolicyMaterializer(FileMaterializer):
    """Only files of known names are stored and loaded; nothing in them is executable."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (PolicyFolder,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def save(self, data: PolicyFolder) -> None:
        hashes = {}
        for name in data.files():
            assert data.path is not None
            self._put(data.path / name, name)
            hashes[name] = digest((data.path / name).read_bytes())
        self._write_text(CONTENTS, json.dumps(hashes, indent=1))

    def load(self, data_type: type[Any]) -> PolicyFolder:
        if not self._has(CONTENTS):
            raise PolicyError(f"the policy artifact {self.uri} is incomplete: it has no {CONTENTS}; use an earlier version")
        hashes = json.loads(self._read_text(CONTENTS))
        if not hashes:
            return PolicyFolder(None)
        # Outlives this call: training continues from these files. The system's temporary folder is where they belong.
        folder = Path(tempfile.mkdtemp(prefix="vision-zero-policy-"))
        for name in POLICY_FILES:
            if name in hashes:
                self._get(name, folder / name)
                if digest((folder / name).read_bytes()) != hashes[name]:
                    raise PolicyError(f"{name} of the policy artifact {self.uri} was changed after it was stored: do not use it")
        return PolicyFolder(folder).checked()

    def save_visualizations(self, data: PolicyFolder) -> dict[str, VisualizationType]:
        if data.path is None:
            text = "# The bare base\n\nNothing has been trained yet: the policy is the base with no adapter."
        elif (data.path / CARD).is_file():
            text = (data.path / CARD).read_text(encoding="utf-8")
        else:
            return {}
        return {self._write_text("card.md", text): VisualizationType.MARKDOWN}

    def extract_metadata(self, data: PolicyFolder) -> dict[str, Any]:
        if data.path is None:
            return {"trained": False}
        size = sum((data.path / name).stat().st_size for name in data.files())
        return {"trained": True, "megabytes": round(size / 1e6, 2)}

    def compute_content_hash(self, data: PolicyFolder) -> str:
        if data.path is None:
            return digest(b"bare base")
        return digest(*((data.path / name).read_bytes() for name in data.files() if name in ADAPTER_FILES))
