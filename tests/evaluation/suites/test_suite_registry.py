"""A suite is one module and one line in the registry: a toy suite of this file is configured, opened and answered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from pydantic import ValidationError

from vision_zero.cli.evaluate import evaluate
from vision_zero.config.suite_registry import SUITES, SuiteEntry
from vision_zero.config.suites import EvaluateConfig, SuiteConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.runner import run_suite
from vision_zero.evaluation.run_suites import open_suite, open_suites
from vision_zero.evaluation.suite import scores_of
from vision_zero.evaluation.suites.procedural import ProceduralSuite, SuiteQuestion, closed_verdict
from vision_zero.recipes.recipe_file import read_recipe

COLORS = ("red", "green", "blue")


def toy_suite(config: SuiteConfig) -> ProceduralSuite:
    def pose(number: int) -> SuiteQuestion:
        color = COLORS[number % 3]
        judge = lambda reply: closed_verdict(reply if reply in COLORS else None, color, {})  # noqa: E731
        return SuiteQuestion("What color is it?", Image.new("RGB", (32, 32), color), judge)

    return ProceduralSuite(config, 1, pose, "vision_zero.text")


class SaysRed:
    """Answers red, whatever it is shown."""

    name = "red"

    def answer(self, conversations: Sequence[object], seed: object) -> list[str]:
        return ["red"] * len(conversations)


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("vision_zero.evaluation.suites.colors")
    module.open_suite = toy_suite  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(SUITES, "colors", SuiteEntry("suites.colors", has_look=False))


@pytest.mark.usefixtures("_registered")
def test_a_toy_suite_is_configured_opened_and_answered(tmp_path: Path) -> None:
    config = EvaluateConfig.model_validate({"suites": [{"name": "colors", "items": 6}]})
    suite = open_suite(config.suites[0])
    records = run_suite(suite, SaysRed(), tmp_path / "records.jsonl", batch_size=4)
    scores = scores_of(suite.name, records)
    assert scores.overall is not None
    assert (scores.overall.correct, scores.overall.total) == (2, 6)


def test_other_names_are_errors_that_list_the_suites() -> None:
    with pytest.raises(ValidationError, match="colors is no suite: scenes, charts, differences, odd_one_out, easy_vqa, chartqa"):
        SuiteConfig(name="colors")


@pytest.mark.parametrize("path", sorted(Path("configs/evaluate").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_suites_of_a_recipe_are_scored_under_the_names_that_its_gate_may_use(path: Path) -> None:
    config = EvaluateConfig.model_validate(read_recipe(path).config)
    assert [suite.score_name for suite in config.suites] == [suite.name for suite in open_suites(config)]


@pytest.mark.parametrize("bound", ["exempt", "required", "must_improve"])
def test_a_gate_names_suites_as_their_scores_are_named(bound: str) -> None:
    suites = [{"name": "scenes", "look": "compact"}, {"name": "easy_vqa", "look": "compact"}]
    for name in ("scenes-compact", "easy_vqa"):
        assert getattr(EvaluateConfig.model_validate({"suites": suites, "gate": {bound: [name]}}).gate, bound) == (name,)
    with pytest.raises(ValidationError, match=f"gate.{bound} names scenes, which is not evaluated here: its suites are scenes-c"):
        EvaluateConfig.model_validate({"suites": suites, "gate": {bound: ["scenes"]}})


def test_suites_of_one_score_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="suites names easy_vqa twice"):
        EvaluateConfig.model_validate({"suites": [{"name": "easy_vqa", "look": look} for look in ("full", "compact")]})


def test_each_line_names_a_module_that_opens_its_suite() -> None:
    for name, entry in SUITES.items():
        assert callable(import_module(f"vision_zero.evaluation.{entry.module}").open_suite), name
    with pytest.raises(EvaluationError, match="holds no file"):
        open_suite(SuiteConfig(name="chartqa", source="/there/is/nothing.json"))
    offered = next(option for option in evaluate.params if option.name == "suites").type
    assert list(offered.choices) == list(SUITES)  # type: ignore[attr-defined]
