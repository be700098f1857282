"""Private names of TRL, transformers, peft, Great Expectations and ZenML are used in one adapter module per library alone."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("trl", "transformers", "peft", "great_expectations", "zenml")
ADAPTERS = (
    "vision_zero/training/trl_adapter.py",
    "vision_zero/policy/transformers_adapter.py",
    "vision_zero/policy/adapter_io.py",
    "vision_zero/validation/rules.py",
)
"""Of TRL, transformers, peft and Great Expectations. Of ZenML nothing private is used."""
ONLY_THERE = {"great_expectations": ADAPTERS[3]}
DOCUMENTED = {"_replace", "_exit", "_dynamo"}
"""Named tuples', os's, and torch's, whose compiler has no other name for what compiled_decoding.py needs."""
PATCHED = {"forward", "get_image_features", "__name__", "__class__"}


@cache
def sources() -> tuple[tuple[str, ast.Module], ...]:
    """Path and content of every module of ours."""
    tops = ("vision_zero", "steps", "materializers", "pipelines")
    paths = [path for top in tops for path in sorted((ROOT / top).rglob("*.py"))]
    return tuple((path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def own_names(tree: ast.Module) -> set[str]:
    """Private names that a module defines itself: functions, classes, and attributes of ``self``."""
    named = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return named | {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) in ("self", "cls")
    }


def trespasses(tree: ast.Module, known: set[str]) -> Iterator[tuple[int, str]]:
    """Lines and words of what reaches beyond a library's public interface; ``known`` are private names of our own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            base, name = ast.unparse(node.value), node.attr
            if is_private(name) and base not in ("self", "cls") and name not in known | DOCUMENTED:
                yield node.lineno, f"{base}.{name}"
            if name in PATCHED and isinstance(node.ctx, ast.Store) and base not in ("self", "cls"):
                yield node.lineno, f"{base}.{name} is patched"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            for name in (*(node.module or "").split("."), *(alias.name for alias in node.names)):
                if is_private(name):
                    yield node.lineno, f"import of {node.module}.{name}"
            if (node.module or "").startswith("trl."):
                yield node.lineno, f"{node.module} is not documented"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("getLogger") and node.args:
            name = ast.unparse(node.args[0]).strip("'\"")
            if name.split(".")[0] in LIBRARIES:
                yield node.lineno, f"the log of {name}"
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and "filterwarnings" in ast.unparse(statement):
            yield statement.lineno, "a filter of warnings for the whole process"


def test_private_names_of_libraries_are_used_in_their_adapters_alone():
    known = {name for _, tree in sources() for name in own_names(tree)}
    found = [
        f"{path}:{line}: {words}" for path, tree in sources() if path not in ADAPTERS for line, words in trespasses(tree, known)
    ]
    assert found == []


def test_great_expectations_is_imported_in_its_adapter_alone():
    for path, tree in sources():
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        for library, adapter in ONLY_THERE.items():
            assert path == adapter or not [name for name in imported if name.split(".")[0] == library], path


def library_classes(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Module and name of everything that a module imports from the libraries, by the name that it has there."""
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES
        for alias in node.names
    }


def overridden(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Each class of a module that extends a library's, and that one's private methods which it overrides."""
    imported = library_classes(tree)
    for node in tree.body:
        names = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        bases = [getattr(importlib.import_module(module), name) for module, name in map(imported.get, {*names} & {*imported})]
        own = [part.name for part in node.body if isinstance(part, ast.FunctionDef) and is_private(part.name)] if bases else []
        if bases:
            yield node.name, [name for name in own if any(hasattr(base, name) for base in bases)]


def test_private_methods_of_libraries_are_overridden_in_their_adapters_alone():
    found = {f"{path}: {name}": own for path, tree in sources() if path not in ADAPTERS for name, own in overridden(tree)}
    assert {key: own for key, own in found.items() if own} == {}
    names = {key.split(": ")[1] for key in found}
    assert names >= {"SftTrainer", "RoomyLayer", "Bookkeeping", "RecipePipeline"}


def test_the_check_sees_an_override():
    source = "from transformers import Trainer\nclass Own(Trainer):\n    def _save(self): ...\n    def _own(self): ..."
    assert list(overridden(ast.parse(source))) == [("Own", ["_save"])]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("model._prepare_position_ids(x)", "model._prepare_position_ids"),
        ("super()._save(folder)", "super()._save"),
        ("from trl.trainer.utils import pad", "trl.trainer.utils is not documented"),
        ("from transformers.trainer import _is_peft_model", "import of transformers.trainer._is_peft_model"),
        ("logging.getLogger('trl.trainer').addFilter(quiet)", "the log of trl.trainer"),
        ("model.forward = MethodType(own, model)", "model.forward is patched"),
        ("warnings.filterwarnings('ignore')", "a filter of warnings for the whole process"),
    ],
)
def test_the_check_sees_a_trespass(source, words):
    assert [found for _, found in trespasses(ast.parse(source), set())] == [words]


@pytest.mark.parametrize(
    "source", ["self._own()", "told._replace(seat=1)", "from trl import GRPOTrainer", "logging.getLogger(__name__)"]
)
def test_the_check_lets_pass_what_is_public(source):
    assert list(trespasses(ast.parse(source), set())) == []
