"""What the documents say is done here: commands run, fragments of recipes are valid, links and names lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.make import write_tiny_recipe
from vision_zero.config.self_play import SelfPlayConfig

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> list[str]:
    lines = [line.split("  #")[0].strip() for block in blocks(page, "sh") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


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


@pytest.fixture
def quick_recipe(tiny_base, tmp_path):
    return write_tiny_recipe(tmp_path / "quick.yaml", tiny_base, "vision_zero_readme", {})


@pytest.mark.cli
@pytest.mark.zenml
def test_every_command_of_the_readme_runs(quick_recipe, tmp_path):
    """In order, as a reader would; make run takes a quick recipe, and this suite itself is only planned."""
    bin_folder = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}", "CONFIG": str(quick_recipe), "BIN": str(bin_folder)}
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    seen = []
    for command in commands(ROOT / "README.md"):
        words = shlex.split(command)
        place = tmp_path if words[0] == "vision-zero" else ROOT
        if words[0] == "make":
            planned = ["--dry-run"] if words[1] == "test" else []
            words = ["make", *planned, f"BIN={bin_folder}", "--old-file=.venv/installed", *words[1:]]
        elif words[0] == "zenml":
            words = [str(quick_recipe) if word.endswith("nano.yaml") else word for word in words]
        done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        seen.append(words[0])
    assert {"make", "vision-zero", "zenml"} <= set(seen)
    assert len(list((tmp_path / "runs").iterdir())) == 2


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
