"""The dashboard in a real browser: the graph reads from top to bottom, and every preview shows what it should."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.zenml, pytest.mark.timeout(300)]

ORDER = (
    ("resume", "render_scenes"), ("take_fingerprints", "render_scenes"), ("render_scenes", "validate_pairs"),
    ("validate_pairs", "clue_stage_1"),
    ("validate_pairs", "measure_base"), ("measure_base", "evaluate_1"),
    ("clue_stage_1", "decision_stage_1"), ("decision_stage_1", "evaluate_1"), ("evaluate_1", "switch_stage_1"),
    ("evaluate_1", "watch_1"), ("decision_stage_1", "ask_suites"), ("watch_1", "report"), ("ask_suites", "report"),
    ("switch_stage_1", "report"), ("switch_stage_1", "judge"), ("judge", "report"), ("report", "promote"),
)  # fmt: skip
"""Which step stands above which."""
PAGES = {
    "validate_pairs/pairs": ("Image pairs", 12, 0),
    "validate_pairs/held_out": ("Image pairs", 8, 0),
    "validate_pairs/verdict": ("Validation verdict", 2, 0),
    "measure_base/base_measures": ("The frozen base on the held-out pairs", 0, 0),
    "measure_base/base_games": ("Replay", 2, 0),
    "clue_stage_1/clue_games": ("Replay", 4, 0),
    "evaluate_1/head_to_head": ("Replay", 2, 0),
    "evaluate_1/scores": ("Held-out scores after iteration 2", 0, 0),
    "switch_stage_1/stage_state": ("Training curves", 0, 8),
    "watch_1/alarms": ("Alarms after iteration 2", 0, 0),
    "report/report": ("Self-play report", 2, 8),
}
"""Heading of a preview, and how many images and charts it has at least."""
SEEN = """async () => ({
    heading: document.querySelector("h1").innerText,
    text: document.body.innerText,
    images: await Promise.all(
        [...document.images].map(image => image.decode().then(() => image.naturalWidth, () => 0))),
    charts: [...document.querySelectorAll("svg")].map(chart => chart.getBoundingClientRect().width),
    scripts: document.scripts.length,
    loaded: performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith("data:")),
})"""
SCRIPT = re.compile(r"<\s*(script|iframe|object|embed|link)\b|<[^>]*\son\w+\s*=|javascript:", re.IGNORECASE)
PREVIEWS = """
import json
from zenml.client import Client
from zenml.artifacts.utils import load_artifact_visualization
run = Client().list_pipeline_runs(size=1, hydrate=True).items[0]
found = {}
for name, step in run.steps.items():
    for output, made in step.regular_outputs.items():
        version = Client().get_artifact_version(made.id)
        for number, shown in enumerate(version.visualizations or ()):
            found[f"{name}/{output} {shown.type.value} {number}"] = load_artifact_visualization(version, number).value
print(json.dumps(found))
"""


@pytest.fixture
def quiet(visit):
    """The browser has nothing to complain about in the end."""
    visit.complaints.clear()
    yield visit
    assert visit.complaints == []


def test_the_graph_shows_the_steps_in_their_order(quiet):
    steps = {name.removeprefix("step/"): y for name, y in quiet.nodes("step").items()}
    assert set(steps) == {name for pair in ORDER for name in pair}
    for above, below in ORDER:
        assert steps[above] < steps[below], (above, below)


def test_the_graph_shows_each_artifact_below_the_step_that_made_it(quiet):
    steps = quiet.nodes("step")
    made = quiet.nodes("artifact")
    assert {name.replace("/outputs/step_output/", "/") for name in made} >= {*PAGES, "decision_stage_1/trained_policy"}
    for name, y in made.items():
        assert y > steps[f"step/{name.split('/')[0]}"], name


@pytest.mark.parametrize("artifact", PAGES)
def test_a_preview_shows_its_page_with_every_image(quiet, artifact):
    heading, images, charts = PAGES[artifact]
    with quiet.preview(artifact) as panel:
        seen = quiet.frame(panel).evaluate(SEEN)
    assert seen["heading"] == heading
    assert len(seen["images"]) >= images
    assert all(width > 0 for width in seen["images"])
    assert len(seen["charts"]) >= charts
    assert all(300 < width < 500 for width in seen["charts"]), "two charts abreast"
    assert (seen["scripts"], seen["loaded"]) == (0, [])


def test_the_card_of_a_policy_is_read_without_the_hubs_head(quiet):
    with quiet.preview("decision_stage_1/trained_policy") as panel:
        panel.get_by_role("heading", name="A policy trained by self-play").wait_for()
        text = panel.inner_text()
    assert "LoRA adapter (rank 4, alpha 8)" in text
    assert "base_model:" not in text


def test_no_preview_holds_a_script(place):
    found = json.loads(place.ask(PREVIEWS))
    assert len([name for name in found if " html " in name]) > len(PAGES)
    for name, page in found.items():
        assert not SCRIPT.search(str(page)), name
