"""``vision-zero gallery``: one gallery image of each domain, for the documentation."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from vision_zero.report.render_pairs import ON_SHEET, Order, render_into

ORDERS = (
    Order(
        "scenes",
        ON_SHEET,
        seed=3,
        edits=("recolor_reshape", "recolor", "reshape", "rematerial", "move", "add", "remove", "resize"),
    ),
    Order(
        "charts",
        ON_SHEET,
        size=(480, 360),
        seed=1,
        edits=("swap_values", "change_values", "relabel", "recolor", "reorder", "change_axis"),
    ),
    Order("photos", ON_SHEET, seed=6),
)
_OF_EACH = 2
"""Pairs of each other domain that are imported as examples of imported pairs."""


def write_galleries(folder: Path) -> list[Path]:
    """Write ``gallery_<domain>.png`` for all four domains; the same files every time.

    Raises:
        PairsError: the folder cannot be written.
    """
    sheets = []
    with tempfile.TemporaryDirectory(prefix="vision-zero-gallery-") as scratch:
        existing = Path(scratch) / "existing"
        existing.mkdir()
        for order in (*ORDERS, Order("imported", ON_SHEET, location=str(existing))):
            sheet = folder / f"gallery_{order.domain}.png"
            drawn = Path(scratch) / order.domain
            render_into(drawn, order, sheet)
            sheets.append(sheet)
            for path in sorted(drawn.glob("*_original.png"))[:_OF_EACH]:
                for side in ("original", "modified"):
                    name = path.name.replace("_original.png", f"_{side}.png")
                    shutil.copyfile(drawn / name, existing / name)
    return sheets
