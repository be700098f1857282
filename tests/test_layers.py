"""The packages form layers: a module imports from its own package and from layers below it, never from above."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    "errors, fingerprints, jinja, randomness, source_closure, text, atomic_dir, hardware, credentials, config_base",
    "data",
    "domains",
    "config",
    "tracking",
    "validation",
    "pair_sets",
    "game",
    "rewards",
    "policy",
    "recipes",
    "evaluation",
    "warm_start",
    "training",
    "experiments",
    "publishing",
    "report",
    "performance",
    "cli",
    "materializers",
    "steps",
    "pipelines",
)
"""From the bottom up. Modules directly in ``vision_zero/`` are the lowest layer, and may import each other. The configuration is
composed from the domains' own, so it lies above them."""
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names.split(", ")}
TOPS = ("vision_zero", "materializers", "steps", "pipelines")


def layer_of(module: str) -> str:
    """The layer that a dotted name of ours belongs to."""
    parts = module.split(".")
    if parts[0] != "vision_zero":
        return parts[0]
    return parts[1] if len(parts) > 1 else "errors"


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Lines and dotted names of everything of ours that a module imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in TOPS:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] in TOPS)


def arrows_up(module: str, source: str) -> list[str]:
    """Imports of a module that point to a layer above its own."""
    own = layer_of(module)
    return [f"{module}:{line} imports {name}" for line, name in imports_of(source) if RANK[layer_of(name)] > RANK[own]]


def modules() -> Iterator[tuple[str, Path]]:
    for top in TOPS:
        for path in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def test_no_import_points_to_a_layer_above() -> None:
    found = [arrow for module, path in modules() for arrow in arrows_up(module, path.read_text(encoding="utf-8"))]
    assert found == []


def test_every_package_has_a_layer() -> None:
    assert {layer_of(module) for module, _ in modules()} <= set(RANK)


def test_the_library_does_not_import_zenml() -> None:
    for module, path in modules():
        if module.startswith("vision_zero"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                assert not [name for name in names if name.split(".")[0] == "zenml"], f"{module} imports zenml"


@pytest.mark.parametrize(
    ("module", "source", "is_wrong"),
    [
        ("vision_zero.config.policy", "from vision_zero.policy.base_models import NANO", True),
        ("vision_zero.config.policy", "def load():\n    import vision_zero.report.pages", True),
        ("vision_zero.config_base", "from vision_zero.config.policy import PolicyConfig", True),
        ("vision_zero.data.table", "from vision_zero.validation.verdict import Verdict", True),
        ("vision_zero.validation.rules", "from vision_zero.domains.scenes.scene import Scene", False),
        ("vision_zero.report.pages", "from vision_zero.data.images import data_uri", False),
        ("steps.stages", "from steps.model_registry import promoted_artifact", False),
    ],
)
def test_the_check_sees_an_arrow_up(module: str, source: str, is_wrong: bool) -> None:
    assert bool(arrows_up(module, source)) is is_wrong
