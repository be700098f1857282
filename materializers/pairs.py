"""Pairs tables: one parquet file that includes the images, and a gallery as preview."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from zenml.enums import VisualizationType

from materializers.files import FileMaterializer
from vision_zero.data.table import PairTable, reports_metadata
from vision_zero.fingerprints import digest
from vision_zero.report.gallery import gallery_page

FILE = "pairs.parquet"
SHOWN = 12


class PairTableMaterializer(FileMaterializer):
    """``datasets.load_dataset("parquet", data_files=<uri>/pairs.parquet)`` reads the file unchanged."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (PairTable,)
    NEEDED: ClassVar[tuple[str, ...]] = (FILE,)

    def save(self, data: PairTable) -> None:
        self._write_file(FILE, data.write)

    def load(self, data_type: type[Any]) -> PairTable:
        return self._read_file(FILE, PairTable.read)

    def save_visualizations(self, data: PairTable) -> dict[str, VisualizationType]:
        page = gallery_page("Image pairs", data.pairs(0, SHOWN), total=len(data), sources=data.reports)
        return self._page("gallery.html", page)

    def extract_metadata(self, data: PairTable) -> dict[str, Any]:
        splits = Counter(data.rows["split"].to_pylist())
        domains = Counter(data.rows["domain"].to_pylist())
        return {"pairs": len(data), "splits": dict(splits), "domains": dict(domains)}

    def compute_content_hash(self, data: PairTable) -> str:
        return table_hash(data)


def table_hash(data: PairTable) -> str:
    """Hash of all cells (images, change logs, facts, splits and positions) and of the source reports."""
    cells = (part for name in data.rows.column_names for cell in data.rows[name].to_pylist() for part in _parts(cell))
    return digest(*cells, *reports_metadata(data.reports).values())


def _parts(cell: Any) -> tuple[bytes | str, ...]:
    """Bytes to hash: the file of an image, the text of any other value."""
    if isinstance(cell, dict) and "bytes" in cell:
        return ("picture", cell["bytes"] or b"")
    return ("cell", repr(cell))
