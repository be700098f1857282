"""``vision-zero gallery``: one gallery image of each domain, for the documentation."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from vision_zero.domains.registry import DOMAINS
from vision_zero.report.render_pairs import ON_SHEET, render_into

_OF_EACH = 2
"""Pairs of each other domain that are imported as examples of imported pairs."""


def write_galleries(folder: Path) -> list[Path]:
    """Write ``gallery_<domain>.png`` for each domain that has examples; the same files every time.

    Raises:
        PairsError: the folder cannot be written.
    """
    sheets = []
    with tempfile.TemporaryDirectory(prefix="vision-zero-gallery-") as scratch:
        existing = Path(scratch) / "existing"
        existing.mkdir()
        for domain in sorted(DOMAINS.values(), key=lambda domain: domain.needs_location):
            if domain.gallery is None:
                continue
            order = replace(domain.gallery, count=ON_SHEET, location=str(existing) if domain.needs_location else None)
            sheet = folder / f"gallery_{domain.name}.png"
            drawn = Path(scratch) / domain.name
            render_into(drawn, order, sheet)
            sheets.append(sheet)
            for path in sorted(drawn.glob("*_original.png"))[:_OF_EACH]:
                for side in ("original", "modified"):
                    name = path.name.replace("_original.png", f"_{side}.png")
                    shutil.copyfile(drawn / name, existing / name)
    return sheets
