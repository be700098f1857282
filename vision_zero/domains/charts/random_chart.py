"""Random charts of the full look: a made-up table with names, units and values that suit each other, and a look for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from vision_zero.domains.charts import topics
from vision_zero.domains.charts.chart import BOX_PLOT_ROWS, STACKED, Chart, ChartStyle, Range, Series
from vision_zero.domains.charts.config import ChartsConfig, ChartType
from vision_zero.domains.charts.random_style import sample_colors, sample_style
from vision_zero.domains.charts.random_values import five_numbers, hill, paths, percentages, related, rounded, spread_out
from vision_zero.domains.charts.ticks import nice_range, number
from vision_zero.errors import PairsError
from vision_zero.randomness import one_of, weighted

LAST_YEAR = 2024
MOST_YEARS = 20
TABLE_TRIES = 60
MOST_GROUPS, MOST_SLICES = 6, 8
"""Groups of bars, and slices, beyond which a chart is hard to read; ``min_categories`` may ask for more."""
_SINGLE: frozenset[ChartType] = frozenset(("vertical_bars", "horizontal_bars", "pie", "doughnut", "box_plot", "histogram"))
_MAYBE_SINGLE: frozenset[ChartType] = frozenset(("lines", "areas", "scatter"))


def sample_chart(config: ChartsConfig, rng: np.random.Generator) -> Chart:
    """A random chart of the full look, with text on it.

    Raises:
        PairsError: no table of the drawn type is as large as configured, found after ``TABLE_TRIES`` tables.
    """
    kind = weighted(config.types, rng)
    for _ in range(TABLE_TRIES):
        chart = _MAKERS[kind](config, kind, sample_style(kind, rng), rng)
        # There are only so many names of a sort: a week has seven days.
        enough_rows = (
            kind in _SINGLE or len(chart.series) >= config.min_series or (kind in _MAYBE_SINGLE and len(chart.series) == 1)
        )
        if enough_rows and (len(chart.categories) >= config.min_categories or not chart.categories):
            return chart
    raise PairsError(f"no made-up {kind} chart is that large: lower min_categories ({config.min_categories}) or min_series")


def value_axis(values: list[float], unit: str, from_zero: bool, has_numbers: bool) -> Range:
    """A round range for those values; with ``has_numbers`` there is room for them above the marks."""
    low, high = min(values), max(values)
    margin = (high - low or abs(high) or 1.0) * (0.1 if has_numbers else 0.04)
    if from_zero and low >= 0:
        return (0.0, 100.0) if unit == "%" and 55 < high <= 100 - margin else nice_range(0.0, high + margin)
    if low >= 0:
        return nice_range(max(0.0, low - margin), high + margin)
    return nice_range(low - margin if low < 0 else low, high + margin)


def _count(config: ChartsConfig, rng: np.random.Generator, most: int = 12) -> int:
    return int(rng.integers(config.min_categories, max(config.min_categories, min(config.max_categories, most)) + 1))


def _rows(config: ChartsConfig, rng: np.random.Generator, may_be_single: bool = False) -> int:
    low = 1 if may_be_single and rng.random() < 0.35 else config.min_series
    return 1 if low == 1 else int(rng.integers(low, config.max_series + 1))


def _years(count: int, rng: np.random.Generator) -> tuple[str, ...]:
    step = one_of([step for step in (1, 1, 2, 5) if step * (count - 1) <= MOST_YEARS] or [1], rng)
    last = LAST_YEAR - int(rng.integers(0, 5)) - (step * int(rng.integers(0, 3)))
    return tuple(str(last - step * (count - 1 - place)) for place in range(count))


def _names(sort: str, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    return _years(count, rng) if sort == "years" else topics.some_names(sort, count, rng)


def _title(title: str, sort: str, names: tuple[str, ...], rng: np.random.Generator) -> str:
    """The title with the years that it is about, which are those of the names where they are years."""
    if sort == "years":
        return f"{title}, {names[0]}–{names[-1]}"
    return f"{title}, {LAST_YEAR - int(rng.integers(0, 15))}" if rng.random() < 0.7 else title


def _title_of_one(name: str, title: str) -> str:
    """Such as "Norway: unemployment rate"; abbreviations keep their capitals."""
    return f"{name}: {title if title[:2].isupper() else title[0].lower() + title[1:]}"


def _axis_name(sort: str, rng: np.random.Generator) -> str:
    return topics.SORTS.get(sort, "") if rng.random() < 0.6 else ""


def _is_ordered(sort: str) -> bool:
    return sort == "years" or sort in topics.ORDERED


def _bars(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    measure = one_of(topics.MEASURES, rng)
    sort = one_of((*measure.subjects, "years"), rng)
    names = _names(sort, _count(config, rng), rng)
    values = rounded(spread_out(len(names), measure.low, measure.high, rng), measure.decimals)
    if not _is_ordered(sort) and rng.random() < 0.4:
        values.sort(reverse=bool(rng.random() < 0.8))
    many = sort != "years" and rng.random() < 0.4
    colors = sample_colors(style, len(names) if many else 1, rng)
    return Chart(
        type=kind,
        title=_title(measure.title, sort, names, rng),
        unit=measure.unit,
        value_name=measure.value,
        position_name=_axis_name(sort, rng),
        categories=names,
        colors=colors if many else (),
        series=(Series(measure.value, "" if many else colors[0], tuple(values)),),
        axis=value_axis(values, measure.unit, True, style.value_labels),
        ordered=_is_ordered(sort),
        style=style,
    )


def _grouped(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    measure = one_of(topics.MEASURES, rng)
    sort = one_of(measure.subjects, rng)
    # Each group of bars has a width of its own: many groups of many bars would be too thin to tell apart.
    categories = topics.some_names(sort, _count(config, rng, MOST_GROUPS), rng)
    split = one_of((*measure.splits, "years"), rng)
    names = _names(split, _rows(config, rng), rng)
    values = [rounded(spread_out(len(categories), measure.low, measure.high, rng), measure.decimals) for _ in names]
    title = _title(measure.title, split, names, rng)
    return _with_rows(kind, style, measure, title, sort, categories, names, values, rng)


def _stacked(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    if rng.random() < 0.5:
        return _shares_of_columns(config, kind, style, rng)
    measure = one_of([measure for measure in topics.MEASURES if measure.additive and measure.splits], rng)
    rows, sort = _rows(config, rng), one_of((*measure.subjects, "years"), rng)
    categories = _names(sort, _count(config, rng), rng)
    names = topics.some_names(one_of(measure.splits, rng), rows, rng)
    values = [rounded(spread_out(len(categories), measure.low, measure.high, rng) / rows, measure.decimals) for _ in names]
    title = _title(measure.title, sort, categories, rng)
    return _with_rows(kind, style, measure, title, sort, categories, names, values, rng)


def _over_time(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    """Lines, or areas of what can be added up."""
    is_area = kind == "areas"
    if is_area and rng.random() < 0.35:
        return _shares_of_columns(config, kind, style, rng)
    measure = one_of([measure for measure in topics.MEASURES if measure.additive or not is_area], rng)
    count = _count(config, rng)
    # What changes slowly is not counted every month.
    sort = "years" if is_area else one_of(("years", "years", "months") if measure.additive else ("years",), rng)
    times = _names(sort, count, rng)
    names = topics.some_names(one_of(measure.subjects, rng), _rows(config, rng, may_be_single=True), rng)
    values = [rounded(path, measure.decimals) for path in paths(len(names), len(times), measure.low, measure.high, rng)]
    title = _title(measure.title, sort, times, rng)
    if len(names) == 1:
        title = _title_of_one(names[0], title)
    chart = _with_rows(kind, style, measure, title, sort, times, names, values, rng)
    if is_area:
        return chart
    everything = [value for row in values for value in row]
    return replace(chart, axis=value_axis(everything, measure.unit, bool(rng.random() < 0.5), False))


def _shares_of_columns(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    """Columns of 100 %, divided alike but not equally."""
    whole = one_of(topics.WHOLES, rng)
    sort = "years" if kind == "areas" else one_of((*whole.columns, "years"), rng)
    columns = _names(sort, _count(config, rng), rng)
    names = topics.some_names(whole.parts, _rows(config, rng), rng)
    base = rng.dirichlet(np.full(len(names), 3.0))
    shares = [percentages(rng.dirichlet(base * 14 + 1)) for _ in columns]
    values = [[float(column[row]) for column in shares] for row in range(len(names))]
    measure = topics.Measure(whole.title, "Share", "%", 0, 100, 0, ())
    title = _title(whole.title, sort, columns, rng)
    return replace(_with_rows(kind, style, measure, title, sort, columns, names, values, rng), axis=(0.0, 100.0))


def _with_rows(
    kind: ChartType,
    style: ChartStyle,
    measure: topics.Measure,
    title: str,
    sort: str,
    categories: tuple[str, ...],
    names: tuple[str, ...],
    values: list[list[float]],
    rng: np.random.Generator,
) -> Chart:
    """A chart of several rows of that measure, whose categories are names of a sort."""
    position_name = _axis_name(sort, rng)
    colors = sample_colors(style, len(names), rng)
    stacked = kind in STACKED
    reached = [sum(column) for column in zip(*values, strict=True)] if stacked else [value for row in values for value in row]
    return Chart(
        type=kind,
        title=title,
        unit=measure.unit,
        value_name=measure.value,
        position_name=position_name,
        categories=categories,
        colors=(),
        series=tuple(Series(name, color, tuple(row)) for name, color, row in zip(names, colors, values, strict=True)),
        axis=value_axis(reached, measure.unit, True, style.value_labels and not stacked),
        ordered=_is_ordered(sort),
        style=style,
    )


def _slices(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    whole = one_of(topics.WHOLES, rng)
    names = topics.some_names(whole.parts, _count(config, rng, MOST_SLICES), rng)
    values = percentages(rng.dirichlet(np.full(len(names), 2.0)))
    if rng.random() < 0.4:
        values = np.sort(values)[::-1]
    column = one_of(topics.some_names(one_of(whole.columns, rng), 3, rng), rng)
    return Chart(
        type=kind,
        title=f"{whole.title}: {column}",
        unit="%",
        value_name="Share",
        position_name="",
        categories=names,
        colors=sample_colors(style, len(names), rng),
        series=(Series("Share", "", tuple(map(float, values))),),
        axis=(0.0, 100.0),
        style=style,
    )


def _scatter(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    relation = one_of(topics.RELATIONS, rng)
    (across, across_unit, left, right, across_decimals), (up, unit, low, high, decimals) = relation.across, relation.up
    names = topics.some_names(relation.groups, _rows(config, rng, may_be_single=True), rng)
    colors = sample_colors(style, len(names), rng)
    series = []
    for name, color in zip(names, colors, strict=True):
        columns, rows = related(_count(config, rng) * (2 if len(names) == 1 else 1), relation.strength, rng)
        positions = tuple(rounded(left + (right - left) * columns, across_decimals))
        series.append(Series(name, color, tuple(rounded(low + (high - low) * rows, decimals)), positions))
    return Chart(
        type=kind,
        title=relation.title,
        unit=unit,
        value_name=up,
        position_name=f"{across} ({across_unit})" if across_unit else across,
        categories=(),
        colors=(),
        series=tuple(series),
        axis=value_axis([value for row in series for value in row.values], unit, bool(rng.random() < 0.4), False),
        position_axis=value_axis([place for row in series for place in row.positions], "", False, False),
        style=style,
    )


def _boxes(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    spread = one_of(topics.SPREADS, rng)
    names = topics.some_names(spread.subjects, _count(config, rng), rng)
    columns = [rounded(five_numbers(spread.low, spread.high, rng), spread.decimals) for _ in names]
    many = rng.random() < 0.4
    colors = sample_colors(style, len(names) if many else 1, rng)
    everything = [value for column in columns for value in column]
    return Chart(
        type=kind,
        title=_title(spread.title, spread.subjects, names, rng),
        unit=spread.unit,
        value_name=spread.value,
        position_name=_axis_name(spread.subjects, rng),
        categories=names,
        colors=colors if many else (),
        series=tuple(
            Series(row, "" if many else colors[0], tuple(column[place] for column in columns))
            for place, row in enumerate(BOX_PLOT_ROWS)
        ),
        axis=value_axis(everything, spread.unit, bool(rng.random() < 0.4), False),
        ordered=_is_ordered(spread.subjects),
        style=style,
    )


def _histogram(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    bins = one_of(topics.BINS, rng)
    count, start = _count(config, rng), one_of(bins.starts, rng)
    edges = [start + bins.width * place for place in range(count + 1)]
    counts = rounded(np.maximum(1.0, bins.most * float(rng.uniform(0.3, 1)) * hill(count, rng)), 0)
    return Chart(
        type=kind,
        title=bins.title,
        unit="",
        value_name=bins.counted,
        position_name=bins.value,
        categories=tuple(f"{number(low)}–{number(high)}" for low, high in pairwise(edges)),
        colors=(),
        series=(Series(bins.counted, sample_colors(style, 1, rng)[0], tuple(counts)),),
        axis=value_axis(counts, "", True, False),
        ordered=True,
        style=style,
    )


def _heat_map(config: ChartsConfig, kind: ChartType, style: ChartStyle, rng: np.random.Generator) -> Chart:
    grid = one_of(topics.GRIDS, rng)
    columns = topics.some_names(grid.columns, _count(config, rng), rng)
    rows = topics.some_names(grid.rows, _rows(config, rng), rng)
    values = [rounded(spread_out(len(columns), grid.low, grid.high, rng), grid.decimals) for _ in rows]
    return Chart(
        type=kind,
        title=_title(grid.title, grid.columns, columns, rng),
        unit=grid.unit,
        value_name=grid.value,
        position_name=_axis_name(grid.columns, rng),
        categories=columns,
        colors=(),
        series=tuple(Series(name, "", tuple(row)) for name, row in zip(rows, values, strict=True)),
        axis=nice_range(min(map(min, values)), max(map(max, values))),
        ordered=_is_ordered(grid.columns),
        style=style,
    )


_MAKERS: dict[ChartType, Callable[[ChartsConfig, ChartType, ChartStyle, np.random.Generator], Chart]] = {
    "vertical_bars": _bars,
    "horizontal_bars": _bars,
    "grouped_bars": _grouped,
    "stacked_bars": _stacked,
    "lines": _over_time,
    "areas": _over_time,
    "pie": _slices,
    "doughnut": _slices,
    "scatter": _scatter,
    "box_plot": _boxes,
    "histogram": _histogram,
    "heat_map": _heat_map,
}
