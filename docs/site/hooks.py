"""What the site has beside docs/: the pages at the top of the repository, files that pages link to, and the API by package.

The Markdown files link to each other as they lie in the repository, so that they can be read there as well.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"README.md": "index.md"} | {name: name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")}
"""Pages at the top of the repository, and what they are called in the site."""
READING = (
    *("guide.md", "formats.md", "reports.md", "presets.md", "stacks.md", "troubleshooting.md"),
    *("algorithm.md", "learning.md", "two_images.md", "performance.md"),
)
"""Pages in the order in which they are read; others follow by name."""
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The order of reading; a page that is added to docs/ is in it by itself."""
    found = {path.name for path in (ROOT / "docs").glob("*.md")}
    documents = [{short_title(name): name} for name in READING if name in found] + sorted(found - set(READING))
    references = [f"api/{package}.md" for package in packages()]
    about = [name for name in PAGES.values() if name != "index.md"]
    config.nav = [
        {"Start": "index.md"},
        {"Documentation": documents},
        {"API": references},
        {"Project": about},
    ]
    return config


def short_title(name: str) -> str:
    """A page's title up to its first colon or comma."""
    title = (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    return re.split("[:,]", title)[0]


def on_page_content(html: str, **_: object) -> str:
    """Paths and long names in tables may be broken at their joints, and nowhere else."""

    def jointed(cell: re.Match[str]) -> str:
        return re.sub(r"(?<=<code>)[^<]+", lambda code: re.sub(r"([/_.])(?=\w)", r"\1<wbr>", code[0]), cell[0])

    return re.sub(r"<td.*?</td>", jointed, html, flags=re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    own = {f"docs/{file.src_uri}": file.src_uri for file in files.documentation_pages()}
    for source, name in {**PAGES, **own}.items():
        add(source, name, files, config)
    for package in packages():
        files.append(File.generated(config, f"api/{package}.md", content=reference(package)))
    return files


def add(source: str, name: str, files: Files, config: MkDocsConfig) -> None:
    """Add a file of the repository to the site, and what it links to."""
    present = files.get_file_from_path(name)
    if present is not None:
        files.remove(present)
    if not name.endswith(".md"):
        files.append(File.generated(config, name, content=(ROOT / source).read_bytes()))
        return
    is_linked = name.startswith("repository/")
    page = File.generated(
        config, name, content="", inclusion=InclusionLevel.NOT_IN_NAV if is_linked else InclusionLevel.UNDEFINED
    )
    files.append(page)  # before its links are followed: one may lead back here

    def target(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        place = PAGES.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else f"repository/{path}")
        if not (ROOT / path).is_file():
            return match[0]
        if files.get_file_from_path(place) is None and place.startswith("repository/"):
            add(path, place, files, config)
        return f"{match[1]}{posixpath.relpath(place, posixpath.dirname(name) or '.')}{match[3]}"

    page.content_string = LINK.sub(target, (ROOT / source).read_text(encoding="utf-8"))


def packages() -> list[str]:
    """The packages of the library, from the game outwards."""
    first = ("game", "rewards", "training", "policy", "data", "domains", "evaluation")
    found = {path.parent.name for path in (ROOT / "vision_zero").glob("*/__init__.py")}
    return [name for name in first if name in found] + sorted(found - set(first))


def reference(package: str) -> str:
    """A page with every module of a package that says what it is."""
    folder = ROOT / "vision_zero" / package
    lines = [f"# vision_zero.{package}", "", described(folder / "__init__.py"), ""]
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).parts):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if not path.name.startswith("_") and described(path):
            lines += [f"::: {name}", ""]
    return "\n".join(lines)


def described(path: Path) -> str:
    """The docstring of a module."""
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
