"""Characters that DejaVu lacks: drawn in fonts of the machine that have them, and no charts where none has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager

from tests.domains.charts.test_own_tables import chart
from vision_zero.domains.charts.canvas import Canvas, text_extent
from vision_zero.domains.charts.chart import from_facts, to_facts
from vision_zero.domains.charts.glyphs import installed_families, installed_fonts_fingerprint, unreadable
from vision_zero.domains.charts.layout import fit_layout
from vision_zero.domains.charts.render import legibility_problems, render
from vision_zero.domains.charts.typography import wrapped
from vision_zero.errors import PairsError

TABLE = "Country,GDP\n中国,5\nPeru,3\n"
Install = Callable[[str, Mapping[str, bool]], None]

pytestmark = pytest.mark.usefixtures("no_installed_fonts")


def font_file(path: Path, family: str, letters: Mapping[str, bool]) -> Path:
    """A font whose letters are full squares, or nothing where the value is false, as in fonts of coloured emoji."""
    glyphs = {".notdef": TTGlyphPen(None).glyph()}
    for letter, is_drawn in letters.items():
        pen = TTGlyphPen(None)
        if is_drawn:
            pen.moveTo((50, 0))
            for corner in ((50, 800), (950, 800), (950, 0)):
                pen.lineTo(corner)
            pen.closePath()
        glyphs[f"u{ord(letter):X}"] = pen.glyph()
    made = FontBuilder(1000)
    made.setupGlyphOrder(list(glyphs))
    made.setupCharacterMap({ord(letter): f"u{ord(letter):X}" for letter in letters})
    made.setupGlyf(glyphs)
    made.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 50)))
    made.setupHorizontalHeader(ascent=880, descent=-120)
    made.setupNameTable({"familyName": family, "styleName": "Regular"})
    made.setupOS2(usWeightClass=400)
    made.setupPost()
    made.save(path)
    return path


@pytest.fixture
def install(tmp_path: Path) -> Install:
    def add(family: str, letters: Mapping[str, bool]) -> None:
        fontManager.addfont(font_file(tmp_path / f"{family}.ttf", family, letters))

    return add


def test_a_character_that_an_installed_font_has_is_drawn_in_it(install: Install) -> None:
    install("Squares", {"中": True, "国": True})
    made = chart(TABLE)
    assert (made.categories[0], made.style.font, made.style.fallbacks) == ("中国", "sans", ("Squares",))
    assert not made.style.bold_title, "there is no bold face"
    sheet = Canvas(100, 60, "#ffffff")
    sheet.text("中", 50, 30, 40, "#000000", fallbacks=made.style.fallbacks)
    assert np.mean(np.asarray(sheet.image()) < 128) == pytest.approx(0.9 * 0.8 * 40 * 40 / (100 * 60), rel=0.1), "a full square"


def test_the_image_is_drawn_again_from_its_facts_where_the_font_is(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("Squares", {"中": True, "国": True})
    made = chart(TABLE)
    layout = fit_layout([made], 320, 240)
    assert layout is not None
    facts = json.loads(json.dumps(to_facts(made, layout)))
    assert legibility_problems(facts) == []
    assert np.array_equal(np.asarray(render(*from_facts(facts))), np.asarray(render(made, layout)))
    monkeypatch.setattr(fontManager, "ttflist", [entry for entry in fontManager.ttflist if entry.name != "Squares"])
    fontManager._findfont_cached.cache_clear()
    assert legibility_problems(facts) == ["'中国' has no letters for 中国"]


def test_several_fonts_may_be_needed_and_only_those_are_taken(install: Install) -> None:
    install("Arrows", {"⟿": True})
    install("China", {"中": True})
    install("Others", {"中": True, "🍎": True})
    assert chart("Name,GDP\n中🍎,5\nPeru,3\n").style.fallbacks == ("China", "Others")
    assert chart("Name,GDP\nChile,5\nPeru,3\n").style.fallbacks == ()


def test_characters_without_an_outline_are_no_charts(install: Install) -> None:
    install("Colours", {"🍎": False, "中": True})
    with pytest.raises(PairsError, match=r"no letters of the charts' fonts: 🍎$"):
        chart("Name,GDP\n中🍎,5\nPeru,3\n")


def test_known_fonts_come_first_and_the_order_is_that_of_names(install: Install) -> None:
    assert installed_families() == []
    before = installed_fonts_fingerprint()
    for family in ("Zebra", "Ant", "Noto Sans Tamil", "WenQuanYi Zen Hei", "Noto Sans CJK SC", "Last Resort"):
        install(family, {"中": True})
    assert installed_families() == ["Noto Sans CJK SC", "WenQuanYi Zen Hei", "Noto Sans Tamil", "Ant", "Zebra"]
    assert chart(TABLE.replace("国", "")).style.fallbacks == ("Noto Sans CJK SC",)
    assert installed_fonts_fingerprint() != before, "tables that were skipped are looked at again"


def test_arabic_and_hebrew_are_joined_and_run_to_the_left() -> None:
    assert unreadable("مصر שלום") == ""
    word, *letters = (text_extent(text, 30, "sans", (), False)[0] for text in ("مصر", "م", "ص", "ر"))
    assert word < 0.9 * sum(letters)
    sheet = Canvas(200, 60, "#ffffff")
    sheet.text("וש", 100, 30, 40, "#000000")
    columns = np.flatnonzero((np.asarray(sheet.image())[..., 0] < 128).any(axis=0))
    inks = (np.asarray(sheet.image())[..., 0] < 128).sum(axis=0)[columns[0] : columns[-1] + 1]
    assert inks[-4:].min() > 2 * inks[:2].max(), "the first letter, an upright stroke, stands at the right"


def test_lines_of_ideographs_are_broken_between_them() -> None:
    lines = wrapped("各国的国内生产总值，二〇二〇年 GDP per head", 12).split("\n")
    assert lines == ["各国的国内生产", "总值，二〇二〇", "年 GDP per", "head"]
    assert wrapped("国内生产总值", 10) == "国内生产总值"
    assert wrapped("대한민국 국내 총생산", 10).split("\n") == ["대한민국", "국내 총생산"]
