"""Pairs of charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision_zero.data.image_pair import Change, ImagePair
from vision_zero.data.images import Box, box_of, changed_mask
from vision_zero.data.source import PairSource
from vision_zero.domains.charts.chart import Chart, Layout, to_facts
from vision_zero.domains.charts.compact import sample_compact
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.edits import EditedChart, edit_chart
from vision_zero.domains.charts.layout import fit_layout
from vision_zero.domains.charts.parts import alone, told
from vision_zero.domains.charts.random_chart import sample_chart
from vision_zero.domains.charts.render import render
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

PAIR_TRIES = 100

MOST_GROWTH = 3
"""Pixels by which the boxes of several changes may grow until they hold every pixel that differs."""

Mask = NDArray[np.bool_]


@final
class ChartSource(PairSource):
    """Draws a made-up table as a chart, and its edited copy; facts are the chart's table, axes, style and layout."""

    domain = "charts"

    def __init__(self, config: ChartsConfig) -> None:
        self.config = config

    def sample(self, seed: Seed) -> ImagePair:
        sample = sample_compact if self.config.style == "compact" else sample_chart
        return chart_pair(self.config, seed, lambda rng: sample(self.config, rng))


def chart_pair(config: ChartsConfig, seed: Seed, sample: Callable[[np.random.Generator], Chart]) -> ImagePair:
    """A pair of images of a chart that ``sample`` makes.

    Raises:
        PairsError: no chart suits the edits after ``PAIR_TRIES`` tries.
    """
    rng = seed.generator()
    for _ in range(PAIR_TRIES):
        chart = sample(rng)
        edited = edit_chart(config, chart, rng)
        if edited is None:
            continue
        if config.style == "compact":
            layout: Layout | None = Layout(config.width, config.height)
        else:
            layout = fit_layout((chart, edited.chart), config.width, config.height)
        if layout is None:
            continue
        original, modified = render(chart, layout), render(edited.chart, layout)
        boxes = _boxes(chart, edited, layout, original, modified)
        if boxes is None:
            continue
        return ImagePair(
            pair_id=f"chart-{seed.digest()[:16]}",
            domain="charts",
            original=original,
            modified=modified,
            changes=tuple(
                Change(edited.kind, told(chart, edited.kind, part), told(edited.chart, edited.kind, part), box)
                for part, box in zip(edited.parts, boxes, strict=True)
            ),
            original_facts=to_facts(chart, layout),
            modified_facts=to_facts(edited.chart, layout),
        )
    raise PairsError(f"no chart suits the edits after {PAIR_TRIES} tries: allow other edits or types, or lower min_changes")


def _boxes(chart: Chart, edited: EditedChart, layout: Layout, original: Image.Image, modified: Image.Image) -> list[Box] | None:
    """Where each change shows; None where one does not show at all."""
    differs = changed_mask(original, modified, 0)
    common, boxes = _box(differs), []
    for part in edited.parts:
        one = alone(chart, edited.chart, edited.kind, part) if len(edited.parts) > 1 else None
        box = common if one is None else _box(changed_mask(original, render(one, layout), 0))
        if box is None:
            return None
        boxes.append(box)
    for _ in range(MOST_GROWTH):
        if _cover(boxes, differs):
            return boxes
        # A corner of a line between two changed points reaches a pixel further than either change alone.
        boxes = [_grown(box, layout) for box in boxes]
    return boxes if common is None or _cover(boxes, differs) else [common] * len(boxes)


def _box(differs: Mask) -> Box | None:
    return box_of(differs) if differs.any() else None


def _cover(boxes: list[Box], differs: Mask) -> bool:
    rest = differs.copy()
    for left, top, right, bottom in boxes:
        rest[top:bottom, left:right] = False
    return not rest.any()


def _grown(box: Box, layout: Layout) -> Box:
    left, top, right, bottom = box
    return (max(0, left - 1), max(0, top - 1), min(layout.width, right + 1), min(layout.height, bottom + 1))
