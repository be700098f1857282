"""Charts as facts: what the image depends on, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pytest

from vision_zero.domains.charts.chart import Layout, from_facts, to_facts
from vision_zero.domains.charts.checks import measure
from vision_zero.domains.charts.compact import compact_chart
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.layout import fit_layout
from vision_zero.domains.charts.palette import map_color
from vision_zero.domains.charts.random_chart import sample_chart
from vision_zero.domains.charts.render import render
from vision_zero.domains.charts.source import ChartSource
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


def facts() -> dict[str, Any]:
    chart = compact_chart("vertical_bars", ("red", "blue", "green"), (20.0, 50.0, 90.0))
    return json.loads(json.dumps(to_facts(chart, Layout(112, 112))))


@pytest.mark.slow
def test_images_are_redrawn_from_their_facts() -> None:
    configs = [ChartsConfig(width=320, height=240), ChartsConfig(style="compact")]
    for number in range(8):
        pair = ChartSource(configs[number % 2]).sample(Seed(3).child(number))
        for image, text in zip((pair.original, pair.modified), pair.facts_json(), strict=True):
            again = render(*from_facts(json.loads(text)))
            assert np.array_equal(np.asarray(image), np.asarray(again)), pair.original_facts["type"]


def test_facts_hold_the_table() -> None:
    shown = facts()
    assert shown["type"] == "vertical_bars"
    assert shown["categories"] == ["red", "blue", "green"]
    assert shown["series"] == [{"name": "value", "color": "", "values": [20, 50, 90]}]
    assert shown["colors"] == ["#ad2323", "#2a4bd7", "#1d6914"]
    assert shown["axis"] == [0, 100]


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "radar"},
        {"axis": [0, 50, 100]},
        {"colors": ["#ad2323"]},
        {"categories": ["red", "blue"]},
        {"series": [{"name": "value", "values": [1, 2, 3]}]},
        {"series": [{"name": "value", "color": "", "values": ["many", 2, 3]}]},
        {"style": {"look": "compact", "glitter": True}},
        {"layout": {"plot": [0, 0, 1, 1]}},
    ],
)
def test_broken_facts_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(PairsError, match="not a chart's facts"):
        from_facts({**facts(), **broken})


def test_missing_facts_are_refused() -> None:
    shown = facts()
    del shown["categories"]
    with pytest.raises(PairsError, match="categories"):
        from_facts(shown)


def test_facts_that_no_chart_can_be_drawn_from_are_faults_of_the_pair() -> None:
    pair = ChartSource(ChartsConfig(types={"grouped_bars": 1}, edits={"swap_series": 1}, width=320, height=240)).sample(Seed(5))
    assert measure(pair) == {"log_fault": None, "text_fault": None}
    fewer = replace(pair, modified_facts={**pair.modified_facts, "categories": pair.modified_facts["categories"][:-1]})
    for series in fewer.modified_facts["series"]:
        series["values"] = series["values"][:-1]
    reordered = replace(fewer, changes=tuple(replace(change, kind="reorder") for change in pair.changes))
    assert measure(reordered)["log_fault"].startswith("its facts cannot be read: ")
    flat = replace(pair, original_facts={**pair.original_facts, "axis": [5, 5]})
    assert measure(flat)["text_fault"].startswith("it cannot be drawn: ")


@pytest.mark.parametrize(("field", "value"), [("name", "Elsewhere"), ("color", "#123456")])
def test_what_differs_in_a_series_beside_the_logged_values_is_found(field: str, value: str) -> None:
    pair = ChartSource(ChartsConfig(types={"grouped_bars": 1}, width=320, height=240)).sample(Seed(6))
    first, *rest = pair.modified_facts["series"]
    wrong = replace(pair, modified_facts={**pair.modified_facts, "series": [{**first, field: value}, *rest]})
    assert measure(pair)["log_fault"] is None
    assert measure(wrong)["log_fault"] == f"the series {field} of the chart differs too"


@pytest.mark.slow
def test_matplotlibs_settings_neither_matter_nor_change() -> None:
    source = ChartSource(ChartsConfig(width=320, height=240))
    plain = source.sample(Seed(8))
    with matplotlib.rc_context({"font.size": 30, "font.family": "monospace", "lines.linewidth": 9, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        odd = source.sample(Seed(8))
        assert dict(matplotlib.rcParams) == before
    assert np.array_equal(np.asarray(plain.original), np.asarray(odd.original))
    assert plain.facts_json() == odd.facts_json()


def test_a_heat_map_shows_its_colour_scale() -> None:
    chart = sample_chart(ChartsConfig(types={"heat_map": 1}), np.random.default_rng(4))
    layout = fit_layout([chart], 480, 360)
    assert layout is not None
    _, bottom, right, top = layout.plot
    column = round(right + 1.7 * layout.text_size)
    image = np.asarray(render(chart, layout))
    for share, row in ((0.0, 360 - bottom - 1), (1.0, 360 - top)):
        wanted = tuple(int(map_color(chart.style.color_map, share)[place : place + 2], 16) for place in (1, 3, 5))
        assert tuple(image[round(row), column]) == pytest.approx(wanted, abs=3)
