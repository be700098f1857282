"""Pairs tables in several files, which may together be larger than memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import VisualizationType

from materializers.files import FileMaterializer
from vision_zero.data.shards import PairShards
from vision_zero.report.gallery import gallery_page

SHOWN = 12
FOLDER = "pairs"


class PairShardsMaterializer(FileMaterializer):
    """``datasets.load_dataset("parquet", data_files="<uri>/pairs/*.parquet")`` reads the files unchanged."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (PairShards,)

    def save(self, data: PairShards) -> None:
        with self._reaching(FOLDER, "stored"):
            self.artifact_store.makedirs(f"{self.uri}/{FOLDER}")
        for path in data.files():
            self._put(path, f"{FOLDER}/{path.name}")

    def load(self, data_type: type[Any]) -> PairShards:
        """Copies the files to this machine; they are deleted when the step ends."""
        with self.get_temporary_directory(delete_at_exit=False) as folder:
            place = f"{self.uri}/{FOLDER}"
            with self._reaching(FOLDER, "fetched"):
                # Object stores have no empty folders: without pairs there is no file.
                names = self.artifact_store.listdir(place) if self.artifact_store.exists(place) else []
            for name in sorted(map(str, names)):
                self._get(f"{FOLDER}/{name}", Path(folder) / name)
            return PairShards(Path(folder))

    def save_visualizations(self, data: PairShards) -> dict[str, VisualizationType]:
        page = gallery_page("Image pairs", data.head(SHOWN).pairs(), total=len(data))
        return self._page("gallery.html", page)

    def extract_metadata(self, data: PairShards) -> dict[str, Any]:
        counts = {f"{column}s": dict(data.count(column)) for column in ("split", "domain")}
        return {"pairs": len(data), "files": len(data.files()), **counts}
