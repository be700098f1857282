"""The gallery page: pairs side by side, with the changed regions outlined and the changes in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vision_zero.data.image_pair import ImagePair, outlines
from vision_zero.data.images import data_uri
from vision_zero.data.source_report import SourceReport
from vision_zero.report.pages import render_page


def gallery_page(
    title: str, pairs: Iterable[ImagePair], total: int, notes: dict[str, str] | None = None, sources: Sequence[SourceReport] = ()
) -> str:
    """A page of pairs.

    Args:
        total: number of pairs that these were taken from.
        notes: a remark for some of the pairs, by id: why a pair was quarantined.
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
            "note": (notes or {}).get(pair.pair_id, ""),
        }
        for pair in pairs
    ]
    return render_page("gallery.html.j2", title=title, pairs=shown, total=total, sources=sources)
