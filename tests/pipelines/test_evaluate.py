"""The evaluation pipeline through ZenML: a tiny policy with an adapter beside its base, twice."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.zenml


@pytest.fixture(scope="module")
def run(tiny_base, tmp_path_factory):
    """Runs the pipeline once and gives its result and its folder of records."""
    from tests.make import write_tiny_adapter

    folder = tmp_path_factory.mktemp("evaluate")
    adapter = write_tiny_adapter(tiny_base, folder / "adapter")
    config = {
        "policy": {"base": str(tiny_base), "adapter": str(adapter)},
        "suites": [{"name": "scenes", "look": "compact", "items": 6}, {"name": "charts", "look": "compact", "items": 5}],
        "sampling": {"max_tokens": 6},
        "resamples": 100,
        "examples": 1,
        "gate": {"least_items": 6},
        "folder": str(folder / "records"),
    }
    file = folder / "tiny.yaml"
    file.write_text(yaml.safe_dump({"execution_mode": "fail_fast", "parameters": {"config": config}}))
    from pipelines.evaluate import evaluate

    return evaluate.with_options(config_path=str(file))(), folder / "records"


def output(result, step, name):
    return result.steps[step].outputs[name][0]


def test_the_graph_reads_like_its_head(run):
    result, _ = run
    assert str(result.status) == "completed"
    assert set(result.steps) == {"answer_as_policy", "answer_as_base", "compare_answers"}
    inputs = {version.id for versions in result.steps["compare_answers"].inputs.values() for version in versions}
    assert inputs == {
        output(result, "answer_as_policy", "policy_answers").id,
        output(result, "answer_as_base", "base_answers").id,
    }


def test_answers_come_back_as_they_were(run):
    result, folder = run
    answers = output(result, "answer_as_policy", "policy_answers").load()
    assert [(entry.protocol.suite, len(entry.records)) for entry in answers.suites] == [
        ("scenes-compact", 6),
        ("charts-compact", 5),
    ]
    lines = next((folder / "scenes-compact").glob("*+*.jsonl")).read_text().splitlines()
    assert [record.model_dump_json() for record in answers.suites[0].records] == lines
    base = output(result, "answer_as_base", "base_answers").load()
    assert base.suites[0].answerer != answers.suites[0].answerer


def test_the_scores_have_a_page_and_the_gate_speaks(run):
    result, _ = run
    artifact = output(result, "compare_answers", "evaluation_scores")
    scorecard = artifact.load()
    assert [suite.comparison.difference.units for suite in scorecard.suites] == [6, 5]
    assert "charts-compact was measured on 5 items, fewer than the 6" in scorecard.blocked
    page = Path(artifact.visualizations[0].uri).read_text()
    for words in ("Not fit for production", "scenes-compact by family", "data:image/png", "extracted"):
        assert words in page
    assert "<script" not in page
