"""A table for trackers: plain text and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vision_zero.text import single_line

Cell = str | int | float | bool | None
_MARKUP = re.compile(r"[^\w\s]", re.ASCII)


@dataclass(frozen=True)
class Table:
    """Rows under named columns. What a model wrote is data: a tracker that renders Markdown gets :meth:`as_markdown`."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def as_markdown(self) -> str:
        """A Markdown table that shows every cell as it is."""
        lines = [self.columns, ("---",) * len(self.columns), *(tuple(map(as_plain_text, row)) for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_plain_text(cell: Cell) -> str:
    """Markdown, and HTML, that shows a value and nothing else: no markup, link or image comes of what is in it."""
    text = f"{cell:.4g}" if isinstance(cell, float) else "" if cell is None else single_line(str(cell))
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};" if match[0].isascii() else match[0], text)
