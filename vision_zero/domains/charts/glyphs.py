"""Which characters a chart's letters can show: the rest would be empty boxes, or letters unjoined and in the wrong order."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font

from vision_zero.domains.charts.canvas import FONT_FILES, Font
from vision_zero.domains.charts.chart import ChartStyle

_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
_JOINED = (range(0x0900, 0x0E00), range(0x0E00, 0x10A0), range(0x1780, 0x1800))
"""Scripts whose letters change place or shape beside others (Indic, South-East Asian), which matplotlib's renderer cannot do."""


def unreadable(text: str, font: Font = "sans") -> str:
    """The characters of ``text`` that would not be drawn as they should, each once, in order."""
    if text.isascii():
        return ""
    return "".join(dict.fromkeys(letter for letter in text if not letter.isspace() and not _is_drawn(letter, font)))


def with_font_for(style: ChartStyle, texts: str) -> ChartStyle:
    """The style, in the sans font where its own lacks a character."""
    return replace(style, font="sans") if unreadable(texts, style.font) else style


def _is_drawn(letter: str, font: Font) -> bool:
    if unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT or any(ord(letter) in block for block in _JOINED):
        return False
    return all(ord(letter) in _characters(font, weight) for weight in ("", "-Bold"))


@cache
def _characters(font: Font, weight: str) -> frozenset[int]:
    return frozenset(
        FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{FONT_FILES[font]}{weight}.ttf"))).get_charmap()
    )
