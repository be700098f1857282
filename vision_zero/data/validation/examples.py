"""The pairs of a verdict that a person should look at, small enough to be part of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

from PIL import Image

from vision_zero.data.image_pair import outlines
from vision_zero.data.images import decode
from vision_zero.data.table import Batches, from_row
from vision_zero.data.validation.verdict import ShownExample
from vision_zero.errors import PairsError

WIDTH = 320
"""Widest small copy in pixels."""
QUALITY = 90


def pick_examples(table: Batches, worst: Mapping[str, str], quarantined: Mapping[str, str]) -> tuple[ShownExample, ...]:
    """Small copies of those pairs, whose notes are given by id, in the table's order; each id once."""
    wanted, found = {**worst, **quarantined}, dict[str, ShownExample]()
    for batch in table.batches(64):
        for place, pair_id in enumerate(batch.column("pair_id").to_pylist()):
            if pair_id in wanted and pair_id not in found:
                row = batch.slice(place, 1).to_pylist()[0]
                found[pair_id] = _specimen(row, wanted[pair_id], pair_id in quarantined)
    return tuple(found.values())


def _specimen(row: dict[str, object], note: str, is_quarantined: bool) -> ShownExample:
    common = {
        "pair_id": row["pair_id"],
        "domain": row["domain"],
        "standing": "quarantined" if is_quarantined else "worst",
        "note": note,
    }
    try:
        pair = from_row(row)
    except PairsError:
        # One side may be whole: then it is shown.
        return ShownExample.model_validate(
            {**common, "original": _readable(row["original"]), "modified": _readable(row["modified"])}
        )
    return ShownExample.model_validate(
        {
            **common,
            "changes": tuple(change.sentence() for change in pair.changes),
            "outlines": tuple(outlines(pair)),
            "original": _small(pair.original),
            "modified": _small(pair.modified),
        }
    )


def _readable(cell: object) -> str:
    try:
        return _small(decode(cell.get("bytes") if isinstance(cell, dict) else None, "picture"))
    except PairsError:
        return ""


def _small(image: Image.Image) -> str:
    copy = image.convert("RGB")
    copy.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    copy.save(buffer, format="JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
