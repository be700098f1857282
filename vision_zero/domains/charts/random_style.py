"""Random looks of realistic charts: paper, grid, frame, fonts, legends and colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vision_zero.domains.charts.chart import SLICED, ChartStyle
from vision_zero.domains.charts.config import ChartType
from vision_zero.domains.charts.palette import HEAT_MAPS, PALETTES, SAMPLED_MAPS, distance, sampled
from vision_zero.randomness import one_of, weighted

THEMES: tuple[ChartStyle, ...] = (
    ChartStyle(grid="none", frame="corner"),
    ChartStyle(grid="value", grid_color="#d9d9d9", frame="base", ink="#333333"),
    ChartStyle(grid="value", grid_color="#c4c4c4", grid_dashed=True, frame="base", ink="#4a4a4a", centered_title=False),
    ChartStyle(grid="both", grid_color="#d0d0d0", frame="box", ink="#111111", bold_title=False),
    ChartStyle(grid="both", grid_color="#bbbbbb", grid_dashed=True, frame="box", ink="#111111", bold_title=False),
    ChartStyle(panel="#ebebeb", grid="both", grid_color="#ffffff", frame="none", ink="#3b3b3b", bold_title=False),
    ChartStyle(panel="#e8eaf2", grid="both", grid_color="#ffffff", frame="none", ink="#262626"),
    ChartStyle(background="#f0f0f0", panel="#f0f0f0", grid="both", grid_color="#cbcbcb", frame="none", centered_title=False),
    ChartStyle(background="#fdf6e7", panel="#fdf6e7", grid="value", grid_color="#ddd3bd", frame="base", ink="#3a3226"),
    ChartStyle(background="#dbe7ee", panel="#dbe7ee", grid="value", grid_color="#ffffff", frame="base", centered_title=False),
    ChartStyle(background="#f5f7fa", panel="#ffffff", grid="value", grid_color="#e1e5ea", frame="box", ink="#2c3e50"),
    ChartStyle(background="#22262e", panel="#22262e", grid="value", grid_color="#434a57", frame="base", ink="#e6e6e6"),
)
COLOR_TRIES = 60
LEAST_APART, LEAST_FROM_PAPER = 0.1, 0.16
"""OKLab distances of a chart's colours from each other, and from what they are drawn on."""


def sample_style(kind: ChartType, rng: np.random.Generator) -> ChartStyle:
    """A look for a chart of that type."""
    theme = one_of(THEMES, rng)
    sliced = kind in SLICED
    labelled = {"vertical_bars": 0.5, "horizontal_bars": 0.6, "grouped_bars": 0.3, "stacked_bars": 0.5, "heat_map": 0.7}
    return replace(
        theme,
        font=weighted({"sans": 0.7, "serif": 0.2, "mono": 0.1}, rng),
        font_scale=round(float(rng.uniform(0.92, 1.1)), 2),
        legend=weighted({"top": 0.35, "bottom": 0.3, "right": 0.35, "beside": 0.6 if sliced else 0.0}, rng),
        value_labels=bool(rng.random() < labelled.get(kind, 0.8 if sliced else 0.0)),
        horizontal=bool(rng.random() < 0.4),
        outlined=bool(rng.random() < 0.3),
        markers=bool(rng.random() < 0.6),
        bar_share=round(float(rng.uniform(0.55, 0.86)), 2),
        line_width=round(float(rng.uniform(1.5, 3.0)), 1),
        color_map=one_of(tuple(HEAT_MAPS), rng) if kind == "heat_map" else "",
    )


def sample_colors(style: ChartStyle, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """``count`` colours of one palette or colour map that stand apart from each other and from the paper."""
    colors: tuple[str, ...] = ()
    for _ in range(COLOR_TRIES):
        if count > 1 and rng.random() < 0.3:
            colors = sampled(one_of(SAMPLED_MAPS, rng), count)
        else:
            palette = one_of(tuple(PALETTES.values()), rng)
            order = rng.permutation(len(palette)) if rng.random() < 0.5 else np.arange(len(palette))
            colors = tuple(palette[index] for index in order[:count])
        if len(colors) == count and _stand_apart(colors, style):
            return colors
    # Twelve slices exhaust most palettes; a colour map always has that many colours, if alike ones.
    return sampled("turbo", count)


def _stand_apart(colors: tuple[str, ...], style: ChartStyle) -> bool:
    papers = (style.background, style.panel)
    if any(distance(color, paper) < LEAST_FROM_PAPER for color in colors for paper in papers):
        return False
    return all(distance(one, other) >= LEAST_APART for place, one in enumerate(colors) for other in colors[:place])
