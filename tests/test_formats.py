"""docs/formats.md: its names of files make pairs, its numbers and units are read, and its messages stand in the code. Its
sentences are not checked here; the tests of each reader do that."""

import re
from pathlib import Path

import pytest

from vision_zero.data.file_naming import name_pairs
from vision_zero.domains.charts.number_formats import name_and_unit, reading

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
PAIRS = re.findall(r"^\| `([^`]+\.\w+)` \| `([^`]+\.\w+)` \|$", PAGE, re.MULTILINE)


def cells(row: str) -> list[str]:
    """The code in a row of a table."""
    (line,) = re.findall(rf"^\| {row} \| (.+) \|$", PAGE, re.MULTILINE)
    return re.findall(r"`([^`]+)`", line)


def test_the_page_names_many_ways():
    assert len(PAIRS) > 15


@pytest.mark.parametrize(("original", "modified"), PAIRS)
def test_files_of_these_names_are_pairs(original, modified):
    assert [pair[1:] for pair in name_pairs([modified, original]).pairs] == [(original, modified)]


@pytest.mark.parametrize("cell", [*cells("numbers"), *cells("magnitudes")])
def test_these_cells_are_numbers(cell):
    found = reading(cell)
    assert found is not None
    assert found.value(found.mark or ".") is not None


@pytest.mark.parametrize("text", cells("units"))
def test_these_units_are_read(text):
    found = reading(text)
    assert (found.unit if found else name_and_unit(text)[1]) != ""


def test_the_messages_of_the_page_stand_in_the_code():
    sources = " ".join(
        re.sub(r'"\s*f?"', "", path.read_text(encoding="utf-8")) for path in sorted((ROOT / "vision_zero").rglob("*.py"))
    )
    messages = re.findall(r"^\| `(.+?)` \|", PAGE.partition("## What is refused")[2], re.MULTILINE)
    assert len(messages) > 10
    for message in messages:
        assert message in sources, message
