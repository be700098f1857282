"""The source of made-up charts: seeds, sizes, settings."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from vision_zero.domains.charts.chart import fits_axes
from vision_zero.domains.charts.compact import sample_compact
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.random_chart import sample_chart
from vision_zero.domains.charts.source import ChartSource
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


@pytest.mark.slow
@pytest.mark.parametrize("config", [ChartsConfig(width=300, height=260), ChartsConfig(style="compact", width=120, height=96)])
def test_pairs_have_the_configured_size(config: ChartsConfig) -> None:
    pair = ChartSource(config).sample(Seed(2))
    assert pair.original.size == pair.modified.size == (config.width, config.height)


def test_types_come_in_proportion_to_their_weights() -> None:
    config = ChartsConfig(style="compact", types={"pie": 3, "lines": 1, "areas": 0})
    kinds = Counter(sample_compact(config, np.random.default_rng(seed)).type for seed in range(400))
    assert set(kinds) == {"pie", "lines"}
    assert 260 <= kinds["pie"] <= 340


def test_tables_are_as_large_as_configured() -> None:
    config = ChartsConfig(min_categories=6, max_categories=7, min_series=3, max_series=3)
    for seed in range(150):
        chart = sample_chart(config, np.random.default_rng(seed))
        if chart.type in ("grouped_bars", "stacked_bars", "heat_map"):
            assert len(chart.series) == 3
        if chart.type != "scatter":
            assert 6 <= len(chart.categories) <= 7
        assert fits_axes(chart), chart.title


def test_the_compact_style_has_defaults_of_its_own() -> None:
    config = ChartsConfig(style="compact")
    assert (config.width, config.height) == (112, 112)
    assert {kind for kind, weight in config.types.items() if weight} == {"vertical_bars", "horizontal_bars", "lines", "pie"}
    assert (config.min_categories, config.max_categories) == (3, 5)
    assert ChartsConfig(style="compact", width=224).width == 224


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"types": {}}, "types must give"),
        ({"edits": {"swap_values": 0}}, "edits must give"),
        ({"types": {"radar": 1}}, "radar"),
        ({"edits": {"explode": 1}}, "explode"),
        ({"colour": "red"}, "colour"),
        ({"min_categories": 9}, "min_categories must not be larger"),
        ({"min_series": 5}, "min_series must not be larger"),
        ({"min_changes": 3}, "min_changes must not be larger"),
        ({"width": 120}, "at least 240x180"),
        ({"style": "compact", "types": {"heat_map": 1}}, "draws no heat_map"),
        ({"style": "compact", "edits": {"relabel": 1}}, "has no relabel"),
        ({"style": "compact", "max_categories": 6}, "3 to 5 categories"),
        ({"style": "compact", "min_categories": 5}, "at most 4 categories"),
        ({"style": "compact", "chartqa_root": "/data"}, "needs style full"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ChartsConfig(**settings)


def test_edits_that_suit_no_chart_are_reported() -> None:
    with pytest.raises(PairsError, match="allow other edits or types"):
        ChartSource(ChartsConfig(types={"pie": 1}, edits={"change_axis": 1})).sample(Seed(5))


@pytest.mark.slow
def test_tables_that_cannot_be_so_large_are_reported() -> None:
    with pytest.raises(PairsError, match="lower min_categories"):
        ChartSource(ChartsConfig(types={"pie": 1}, min_categories=12, max_categories=12)).sample(Seed(6))
