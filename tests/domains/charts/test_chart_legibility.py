"""Texts of full charts: whole, apart, and large enough, at several sizes."""

from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pytest

from vision_zero.domains.charts.canvas import Canvas
from vision_zero.domains.charts.chart import to_facts
from vision_zero.domains.charts.config import ChartsConfig, ChartType
from vision_zero.domains.charts.layout import fit_layout
from vision_zero.domains.charts.random_chart import sample_chart
from vision_zero.domains.charts.render import compose, legibility_problems, problems_on, render

SIZES = ((320, 240), (480, 360), (400, 520))
SEEDS = 1


def test_problems_are_found() -> None:
    sheet = Canvas(200, 100, "#ffffff")
    sheet.text("whole", 100, 80, 12, "#000000")
    assert problems_on(sheet) == []
    sheet.text("beyond the edge", 190, 50, 12, "#000000")
    assert problems_on(sheet) == ["'beyond the edge' is cut off"]
    sheet.text("hole", 110, 78, 12, "#000000")
    sheet.text("tiny", 30, 20, 5, "#000000")
    found = problems_on(sheet)
    assert "'whole' overlaps 'hole'" in found
    assert "'tiny' is only 5.0 pixels high" in found
    assert len(found) == 3


def test_turned_texts_side_by_side_do_not_overlap() -> None:
    apart, crossing = Canvas(200, 200, "#ffffff"), Canvas(200, 200, "#ffffff")
    for x in (80, 110):
        apart.text("a long label", x, 150, 12, "#000000", horizontal="right", vertical="top", turn=45)
        crossing.text("a long label", x, 150, 12, "#000000", horizontal="right", vertical="top", turn=0)
    assert problems_on(apart) == []
    assert problems_on(crossing) == ["'a long label' overlaps 'a long label'"]


def test_the_box_of_a_turned_text_is_where_its_ink_is() -> None:
    for turn in (0, 30, 45, 90):
        sheet = Canvas(160, 160, "#ffffff")
        sheet.text("Turned label", 130, 120, 14, "#000000", horizontal="right", vertical="top", turn=turn)
        (text,) = sheet.texts()
        rows, columns = np.nonzero(np.asarray(sheet.image())[..., 0] < 128)
        low, high = text.corners.min(axis=0), text.corners.max(axis=0)
        assert low[0] - 1 <= columns.min()
        assert columns.max() <= high[0] + 1
        assert low[1] - 1 <= 159 - rows.max()
        assert 159 - rows.min() <= high[1] + 1
        assert high[0] - low[0] < columns.max() - columns.min() + 14, "the box is not much larger than the ink"


@pytest.mark.slow
@pytest.mark.parametrize("kind", get_args(ChartType))
def test_every_type_is_legible_at_every_size(kind: ChartType) -> None:
    for width, height in SIZES:
        config = ChartsConfig(types={kind: 1}, width=width, height=height)
        for seed in range(SEEDS):
            chart = sample_chart(config, np.random.default_rng([seed, width]))
            layout = fit_layout([chart], width, height)
            assert layout is not None, chart.title
            assert legibility_problems(json.loads(json.dumps(to_facts(chart, layout)))) == []
            texts = {" ".join(text.text.split()) for text in compose(chart, layout).texts()}
            assert chart.title in texts
            if kind not in ("pie", "doughnut"):
                assert set(chart.categories) <= texts


@pytest.mark.slow
def test_nothing_reaches_the_images_rim() -> None:
    # Seen from the pixels: what is cut off leaves ink in the outermost row or column.
    for seed in range(8):
        chart = sample_chart(ChartsConfig(max_categories=10), np.random.default_rng([9, seed]))
        layout = fit_layout([chart], 480, 360)
        assert layout is not None
        image = np.asarray(render(chart, layout))
        rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert len(np.unique(rim, axis=0)) == 1, chart.title


def test_an_image_too_small_for_its_texts_has_no_layout() -> None:
    config = ChartsConfig(types={"horizontal_bars": 1}, min_categories=12, max_categories=12)
    chart = sample_chart(config, np.random.default_rng(0))
    assert fit_layout([chart], 480, 360) is not None
    assert fit_layout([chart], 120, 60) is None
