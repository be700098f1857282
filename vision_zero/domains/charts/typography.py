"""Sizes, wrapping and measuring of a chart's texts."""

from __future__ import annotations

import re
import textwrap
from typing import Literal
from unicodedata import east_asian_width

from vision_zero.domains.charts.canvas import text_extent
from vision_zero.domains.charts.chart import SLICED, Chart, ChartStyle

Role = Literal["title", "name", "label", "legend", "value"]
"""A chart's title, an axis' title, numbers and names along an axis, a legend's entries, numbers at the marks."""

_FACTORS: dict[Role, float] = {"title": 1.28, "name": 1.0, "label": 0.92, "legend": 0.92, "value": 0.86}
LEAST_SIZE = 7.0
"""No text is smaller, in pixels."""
_CHARACTER = {"sans": 0.6, "serif": 0.6, "mono": 0.61}
"""Mean width of a character as a share of the text's size."""
_BOLD = 1.13
_WIDE = 1 / 0.6
"""Width of an ideograph in characters of mean width."""
_IDEOGRAPHS = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003fffd"
_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
_PIECE = re.compile(rf"\s+|[{_IDEOGRAPHS}][、。，．：；！？）」』】》％]*|[^\s{_IDEOGRAPHS}]+")
"""What a line is not broken within: a word, or an ideograph and the punctuation that ends with it."""


class Typography:
    """The texts of one chart of that style, whose axes' titles have ``text_size`` pixels."""

    def __init__(self, style: ChartStyle, text_size: float) -> None:
        self.style = style
        self.text_size = text_size

    def size(self, role: Role) -> float:
        """Size of such texts in pixels."""
        return max(LEAST_SIZE, self.text_size * _FACTORS[role])

    def is_bold(self, role: Role) -> bool:
        return role == "title" and self.style.bold_title

    def extent(self, text: str, role: Role) -> tuple[float, float]:
        """Width and height of the text in pixels; nothing for no text."""
        if not text:
            return (0.0, 0.0)
        return text_extent(text, self.size(role), self.style.font, self.style.fallbacks, self.is_bold(role))

    def widest(self, texts: list[str], role: Role) -> float:
        return max((self.extent(text, role)[0] for text in texts), default=0.0)

    def highest(self, texts: list[str], role: Role) -> float:
        return max((self.extent(text, role)[1] for text in texts), default=0.0)

    def characters(self, width: float, role: Role) -> int:
        """About as many characters fit into a line of that width, at least 4."""
        one = self.size(role) * _CHARACTER[self.style.font] * (_BOLD if self.is_bold(role) else 1.0)
        return max(4, int(width / one))


def wrapped(text: str, characters: int) -> str:
    """The text in lines of at most so many characters of mean width; words are never broken, Chinese and Japanese anywhere."""
    if _length(text) <= characters:
        return text
    if not _IDEOGRAPH.search(text):
        fitting = max(1, int(characters * len(text) / _length(text)))
        return textwrap.fill(text, fitting, break_long_words=False, break_on_hyphens=False)
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and _length((lines[-1] + piece).rstrip()) > characters:
            lines.append("")
        lines[-1] = (lines[-1] + piece).lstrip()
    return "\n".join(line.rstrip() for line in lines if line)


def _length(text: str) -> float:
    return len(text) if text.isascii() else sum(_WIDE if east_asian_width(letter) in "WF" else 1.0 for letter in text)


def value_title(chart: Chart) -> str:
    """The value axis' title with its unit; percent stands at the numbers instead."""
    if chart.unit in ("", "%"):
        return chart.value_name
    return f"{chart.value_name} ({chart.unit})" if chart.value_name else chart.unit


def unit_sign(chart: Chart) -> str:
    """What follows each number of the value axis."""
    return "%" if chart.unit == "%" else ""


def legend_entries(chart: Chart) -> list[tuple[str, str]]:
    """Name and colour of what a legend explains; empty where the axes name everything."""
    if chart.type in SLICED:
        return list(zip(chart.categories, chart.colors, strict=True))
    if chart.type in ("heat_map", "box_plot") or len(chart.series) < 2:
        return []
    return [(series.name, series.color) for series in chart.series]
