"""The gallery page: pairs side by side, with the changed regions outlined and the changes in words; and the folder that
``build_pairs`` writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from vision_zero.data.image_pair import ImagePair, outlines
from vision_zero.data.images import data_uri
from vision_zero.data.shards import PairShards, writing
from vision_zero.data.source_report import SourceReport
from vision_zero.report.pages import render_page
from vision_zero.validation.verdict import Verdict

SHOWN = 24


def gallery_page(title: str, pairs: Iterable[ImagePair], total: int, sources: Sequence[SourceReport] = ()) -> str:
    """A page of pairs.

    Args:
        total: number of pairs that these were taken from.
        sources: reports of the pairs' sources.
    """
    shown = [
        {
            "id": pair.pair_id,
            "domain": pair.domain,
            "original": data_uri(pair.original),
            "modified": data_uri(pair.modified),
            "outlines": outlines(pair),
            "changes": [change.sentence() for change in pair.changes],
        }
        for pair in pairs
    ]
    return render_page("gallery.html.j2", title=title, pairs=shown, total=total, sources=sources)


def write_files(folder: Path, pairs: PairShards, quarantined: PairShards, verdict: Verdict, *, keeps_made: bool = False) -> Path:
    """Write the folder: ``pairs`` and ``quarantined`` with their parquet files, ``verdict.json``, ``verdict.html`` and
    ``gallery.html``. Existing files are kept; the raw ones in ``made`` are removed, unless ``keeps_made``.

    Returns:
        The page of the validation verdict.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, shards in (("pairs", pairs), ("quarantined", quarantined)):
        (folder / name).mkdir(exist_ok=True)
        for path in shards.files():
            if not (folder / name / path.name).exists():
                shutil.copyfile(path, folder / name / path.name)
    if not keeps_made:
        shutil.rmtree(folder / "made", ignore_errors=True)
    shown = gallery_page("Image pairs", pairs.head(SHOWN).pairs(), total=verdict.passed, sources=verdict.sources)
    with writing(folder):
        (folder / "verdict.json").write_text(verdict.model_dump_json(indent=1), encoding="utf-8")
        (folder / "verdict.html").write_text(render_page("verdict.html.j2", verdict=verdict), encoding="utf-8")
        (folder / "gallery.html").write_text(shown, encoding="utf-8")
    return folder / "verdict.html"
