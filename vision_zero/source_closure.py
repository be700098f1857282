"""The source files that a module of this project can run: the module, its imports, and the data files beside them.

Imports are read from the source, also inside functions, so no module is loaded or listed by hand. A string with the name of a
module or package of this project counts as an import, since templates and processes are named so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vision_zero.fingerprints import digest

ROOT = Path(__file__).resolve().parent.parent
"""Folder of the packages: a checkout, or ``site-packages``."""
PACKAGE = "vision_zero"
"""The package whose code determines what a step returns; steps only call it, and materializers only store what it returns."""
_DISTRIBUTIONS = {"PIL": "pillow", "skimage": "scikit-image", "yaml": "pyyaml", "great_expectations": "great-expectations"}
"""Distribution names that differ from the module name."""


def code_fingerprint(modules: Iterable[str]) -> str:
    """Fingerprint of all code that these modules can run: files of this project, and versions of other imported packages."""
    return closure_fingerprint(*closure(modules))


def closure_fingerprint(files: Mapping[str, Path], others: Set[str]) -> str:
    """The same for a known closure, from the current content of its files."""
    parts = [part for name, path in sorted(files.items()) for part in (name, path.read_bytes())]
    return digest(*parts, *(f"{name} {_version(name)}" for name in sorted(others)))


def closure(modules: Iterable[str], root: Path = ROOT, ends: Set[str] = frozenset()) -> tuple[dict[str, Path], set[str]]:
    """Files of this project, by path below ``root``, and top-level names of other modules that these modules import.

    Args:
        ends: modules whose own imports are not followed, such as a registry.
    """
    waiting, seen = [name for module in modules for name in _with_parents(module)], set[str]()
    files: dict[str, Path] = {}
    others: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        top = name.partition(".")[0]
        path = _file_of(name, root) if top == PACKAGE else None
        if path is None:
            if top != PACKAGE and top.isidentifier():
                others.add(top)
            continue
        files[path.relative_to(root).as_posix()] = path
        files.update({data.relative_to(root).as_posix(): data for data in _data_beside(path.parent)})
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        if name in ends:
            continue
        waiting += [full for found in _imports(path.read_bytes(), package) for full in _with_parents(found)]
    return files, others


@lru_cache(maxsize=1024)
def _imports(source: bytes, package: str) -> Set[str]:
    return frozenset(_imported_by(ast.parse(source), package))


def _imported_by(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            if module.partition(".")[0] == PACKAGE:
                yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.partition(".")[0] == PACKAGE:
            yield node.value


def _with_parents(name: str) -> list[str]:
    """Names of a module and its parent packages, which importing it runs."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _file_of(name: str, root: Path) -> Path | None:
    """The file of a module; None if the name is that of a class or function."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    place = root.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _data_beside(package: Path) -> Iterator[Path]:
    """Data files of a package, and of folders below it that are not packages."""
    for path in sorted(package.iterdir()):
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").is_file():
                yield from _data_beside(path)
        elif path.suffix not in (".py", ".pyc", ".md"):
            yield path


@cache
def _version(module: str) -> str:
    """Version of a module's distribution; empty for the standard library."""
    try:
        return version(_DISTRIBUTIONS.get(module, module))
    except PackageNotFoundError:
        return ""
