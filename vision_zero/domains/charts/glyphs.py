"""Which characters a chart's fonts can show, and which installed fonts show those that DejaVu lacks (Chinese, Hindi, emoji).

matplotlib draws each character in the first font of a list that has it, and shapes the text (joined letters, right to left) with
HarfBuzz. Characters of no font would be empty boxes: their tables are no charts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

import matplotlib
from matplotlib.font_manager import FontEntry, FontPath, fontManager
from matplotlib.ft2font import FT2Font

from vision_zero.domains.charts.canvas import Font, font_file, font_of
from vision_zero.domains.charts.chart import ChartStyle
from vision_zero.fingerprints import digest

PREFERRED = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "IPAexGothic",
    "IPAGothic",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Noto Sans Devanagari",
    "Lohit Devanagari",
    "Noto Emoji",
    "Symbola",
)
"""Families that are asked first, in this order; then Noto's others, then all others, both by name."""
_NO_LETTERS = ("DejaVu", "Last Resort", ".")
"""Beginnings of families that are not asked: charts' own font, and boxes that stand for letters (macOS' begin with a dot)."""
_INVISIBLE = frozenset(("Cf", "Mn"))
"""Joiners, variation selectors and marks: they shape others, and may have no outline of their own."""
_LEAST_BOLD = 600


def unreadable(text: str, font: Font = "sans", fallbacks: Iterable[str] = ()) -> str:
    """The characters of ``text`` that would not be drawn in DejaVu or one of the families ``fallbacks``, each once, in order."""
    if text.isascii() and text.isprintable():
        return ""
    lost = "".join(dict.fromkeys(letter for letter in text if not letter.isspace() and not _is_of_dejavu(letter, font)))
    for family in fallbacks:
        lost = _lacking(family, lost)
    return lost


def with_fonts_for(style: ChartStyle, texts: str) -> ChartStyle:
    """The style in fonts that show these texts: the sans one where its own lacks a character, and installed ones beside it.

    A title is bold only where each of them has a bold face.
    """
    if not unreadable(texts, style.font):
        return style
    fallbacks, lost = [], unreadable(texts)
    for family in installed_families() if lost else ():
        rest = _lacking(family, lost)
        if rest != lost:
            fallbacks.append(family)
            lost = rest
        if not lost:
            break
    bold = {entry.name for entry in fontManager.ttflist if int(entry.weight) >= _LEAST_BOLD} if fallbacks else set()
    return replace(style, font="sans", fallbacks=tuple(fallbacks), bold_title=style.bold_title and bold.issuperset(fallbacks))


def installed_families() -> list[str]:
    """The families of fonts on this machine beside those that matplotlib brings; preferred ones first."""
    ranks = {name: rank for rank, name in enumerate(PREFERRED)}
    families = {entry.name for entry in _installed()}
    return sorted(families, key=lambda name: (ranks.get(name, len(ranks)), not name.startswith("Noto "), name))


def installed_fonts_fingerprint() -> str:
    """The fingerprint of their files, told by family, name and size: other fonts draw other charts of the same tables."""
    files = {(entry.name, Path(entry.fname)) for entry in _installed()}
    return digest(*sorted(f"{family} {path.name} {path.stat().st_size if path.exists() else 0}" for family, path in files))


def _installed() -> list[FontEntry]:
    own = Path(matplotlib.get_data_path())
    others = [entry for entry in fontManager.ttflist if not entry.name.startswith(_NO_LETTERS)]
    return [entry for entry in others if own not in Path(entry.fname).parents]


def _is_of_dejavu(letter: str, font: Font) -> bool:
    return all(ord(letter) in _characters(font, bold) for bold in (False, True))


@cache
def _characters(font: Font, bold: bool) -> frozenset[int]:
    return frozenset(FT2Font(str(font_file(font, bold))).get_charmap())


def _face(family: str) -> FontPath | None:
    """The file that matplotlib takes for a family; None where the family is not installed."""
    try:
        return fontManager.findfont(font_of([family], False), fallback_to_default=False)
    except ValueError:
        return None


def _lacking(family: str, letters: str) -> str:
    """Those of the letters that the family has no outline of."""
    face = _face(family)
    return letters if face is None else _without_outline(str(face), face.face_index, letters)


@lru_cache(maxsize=4096)
def _without_outline(path: str, index: int, letters: str) -> str:
    try:
        font = FT2Font(path, face_index=index)
    except (OSError, RuntimeError):
        return letters
    return "".join(letter for letter in letters if not _has_outline(font, letter)) if font.scalable else letters


def _has_outline(font: FT2Font, letter: str) -> bool:
    """Coloured emoji are images or layers, which would be drawn as nothing."""
    if not font.get_char_index(ord(letter)):
        return False
    if unicodedata.category(letter) in _INVISIBLE:
        return True
    font.load_char(ord(letter))
    return len(font.get_path()[0]) > 0
