"""What the documents say is so: fragments of recipes are valid, links, names and settings lead somewhere.

Their commands have tests/test_commands.py.
"""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.domains.registry import DOMAINS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_sections_name_a_heading(page):
    for target, section in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        linked = page.parent / target if target else page
        headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
        assert section in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, (target, section)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_fragments_of_recipes_are_valid(page):
    for block in blocks(page, "yaml"):
        SelfPlayConfig.model_validate(yaml.safe_load(block))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_settings_files_and_tests_that_exist(page):
    text = page.read_text(encoding="utf-8")
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests, name
    for path in re.findall(r"`((?:tests|configs|pipelines|steps|vision_zero|docs)/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_fences_are_shell_or_recipes(page):
    """tests/test_commands.py sees the one, the test above the other; nothing hides in a third kind."""
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(fences[::2]) <= {"sh", "yaml"}
    assert set(fences[1::2]) <= {""}


def rows(page: Path) -> list[tuple[list[str], list[str]]]:
    """Of every table the head and a row, cell by cell."""
    found, head = [], None
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            head = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if head is None:
            head = cells
        elif set(cells) != {"---"}:
            found.append((head, cells))
    return found


def test_each_equation_has_a_file_a_test_a_setting_and_its_difference():
    found = rows(ROOT / "docs" / "algorithm.md")
    assert len(found) > 15
    for head, cells in found:
        assert head[1:] == ["file", "test", "setting", "differs"]
        assert len(cells) == 5, cells
        assert all(cells), cells
        file, test, setting = cells[1:4]
        for path in re.findall(r"`([\w/]+\.py)`", file):
            assert (ROOT / "vision_zero" / path).is_file(), path
        assert re.search(r"`[\w/]+\.py`|^same$", file), cells
        assert re.search(r"`tests/[\w/]+\.py`|`test_\w+`|^same$", test), cells
        for key in re.findall(r"`([\w.]+)`", setting):
            assert is_setting(key), key


def is_setting(path: str) -> bool:
    """Is there such a field below SelfPlayConfig?"""
    model = SelfPlayConfig
    for name in path.split("."):
        field = getattr(model, "model_fields", {}).get(name)
        if field is None:
            return False
        options = [field.annotation, *get_args(field.annotation)]
        model = next((option for option in options if hasattr(option, "model_fields")), None)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_pages_name_exist(page):
    groups = "|".join(SelfPlayConfig.model_fields)
    for key in re.findall(rf"`((?:{groups})\.[a-z_.]+)`", page.read_text(encoding="utf-8")):
        assert is_setting(key), key


def test_the_page_on_reports_lists_the_artifact_of_each_domain():
    (line,) = re.findall(
        r"^\| (`scenes`.*) \| twelve pairs", (ROOT / "docs" / "reports.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(DOMAINS) <= set(re.findall(r"`(\w+)`", line))


def test_troubleshooting_quotes_what_the_code_says():
    sources = " ".join(
        re.sub(r'"\s*f?"', "", path.read_text(encoding="utf-8"))
        for folder in ("vision_zero", "steps", "materializers")
        for path in sorted((ROOT / folder).rglob("*.py"))
    )
    quoted = re.findall(r"^\| `(.+?)` \|", (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(quoted) > 20
    for message in quoted:
        for part in message.split("…"):
            assert part.strip(" ():;,.") in sources, message


def test_docstrings_name_each_parameter_in_a_line_of_its_own():
    """The site's builder takes "a, b: both" for one parameter of that name, and warns, which is an error there."""
    for path in (ROOT / "vision_zero").rglob("*.py"):
        for section in re.findall(r"^ +Args:\n((?: +\S.*\n)+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            indent = len(section) - len(section.lstrip())
            named = re.findall(rf"^ {{{indent}}}([*\w]+(?:, [*\w]+)+):", section, re.MULTILINE)
            assert not named, f"{path.relative_to(ROOT)}: {named}"
