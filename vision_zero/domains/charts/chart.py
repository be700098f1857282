"""A chart as plain data: its table, its axes, its style, and where its parts stand in the image.

A :class:`Chart` holds no pixels and no image size. A :class:`Layout` adds the size and the places that were chosen so that
no text is cut off; a pair shares one layout, so that an edit moves nothing that it did not touch. Both together are an
image's facts, and the image is a function of them alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from vision_zero.config_base import problems
from vision_zero.data.image_pair import Facts
from vision_zero.domains.charts.config import ChartLook, ChartType
from vision_zero.errors import PairsError

BOX_PLOT_ROWS = ("minimum", "lower quartile", "median", "upper quartile", "maximum")
"""The five series of a box plot, in this order."""
SLICED: frozenset[ChartType] = frozenset(("pie", "doughnut"))
"""Types without axes, whose values are parts of a whole."""
STACKED: frozenset[ChartType] = frozenset(("stacked_bars", "areas"))
"""Types whose series stand on top of each other."""

_STRICT = ConfigDict(extra="forbid")
"""Of a style or a layout, facts with a field that is not known are refused: the image would be another one."""
_MEDIAN = BOX_PLOT_ROWS.index("median")
_WHOLE = 0.5
"""Columns whose sums differ by less than this, and by less than that many percent, are parts of one whole."""
T = TypeVar("T")
Range = tuple[float, float]
LegendPlace = Literal["top", "bottom", "right", "beside"]
"""``beside``: no legend; names stand at the slices."""


@dataclass(frozen=True, slots=True)
class Series:
    """One row of the table. ``color`` ("#rrggbb") is empty where categories or a colour map give the colours.

    ``values`` belong to the chart's categories; in a scatter plot they are heights, and ``positions`` the points' places
    along the other axis.
    """

    name: str
    color: str
    values: tuple[float, ...]
    positions: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ChartStyle:
    """How a chart looks, apart from its marks' colours. The compact look ignores all but ``look``.

    ``fallbacks`` are the families of installed fonts that draw what ``font`` lacks, in this order.
    """

    __pydantic_config__ = _STRICT

    look: ChartLook = "full"
    font: Literal["sans", "serif", "mono"] = "sans"
    fallbacks: tuple[str, ...] = ()
    font_scale: float = 1.0
    background: str = "#ffffff"
    panel: str = "#ffffff"
    ink: str = "#222222"
    grid: Literal["none", "value", "both"] = "value"
    grid_color: str = "#cccccc"
    grid_dashed: bool = False
    frame: Literal["box", "corner", "base", "none"] = "corner"
    legend: LegendPlace = "top"
    bold_title: bool = True
    centered_title: bool = True
    value_labels: bool = False
    horizontal: bool = False
    outlined: bool = False
    markers: bool = True
    bar_share: float = 0.7
    line_width: float = 2.0
    color_map: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A table and how to draw it.

    Attributes:
        position_name: what the categories are, or what a scatter plot's positions measure; ``value_name`` likewise.
        colors: one "#rrggbb" per category, or empty where each series has its own colour.
        ordered: the categories are points in time or bins, which have one natural order.
        axis: lowest and highest value of the value axis (of the colour scale for a heat map, 0 and the whole for a pie).
        position_axis: the other axis of a scatter plot.
        source: the file that the table comes from; empty for a made-up one.
    """

    type: ChartType
    title: str
    unit: str
    value_name: str
    position_name: str
    categories: tuple[str, ...]
    colors: tuple[str, ...]
    series: tuple[Series, ...]
    axis: Range
    position_axis: Range | None = None
    ordered: bool = False
    style: ChartStyle = field(default_factory=ChartStyle)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Image size and places, in pixels from the lower left corner. The compact look needs the size alone.

    Attributes:
        text_size: size of the axes' text; other texts are multiples of it.
        plot: left, bottom, right and top of the rectangle that the axes span, or that a pie fills.
        title_wrap: characters in a line of the title; ``label_wrap`` of a category's name, ``legend_wrap`` of a series'.
        label_turn: degrees by which the categories' names are turned.
        label_depth: room below the plot for names or numbers, down to the title of that axis.
        most_ticks: most steps between an axis' numbers.
        legend: where the legend is, which may be another place than the style wishes.
        value_labels: numbers stand at the marks, with ``decimals`` decimals.
    """

    __pydantic_config__ = _STRICT

    width: int
    height: int
    text_size: float = 0.0
    plot: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    title_wrap: int = 80
    label_wrap: int = 80
    legend_wrap: int = 80
    label_turn: int = 0
    label_depth: float = 0.0
    most_ticks: int = 6
    legend: LegendPlace = "top"
    value_labels: bool = False
    decimals: int = 0


_CHART, _LAYOUT = TypeAdapter(Chart), TypeAdapter(Layout)


def to_facts(chart: Chart, layout: Layout) -> Facts:
    """The chart as JSON data; whole numbers are written without a decimal point."""
    facts = _CHART.dump_python(chart, mode="json")
    for row, series in zip(facts["series"], chart.series, strict=True):
        row["values"], row["positions"] = _numbers(series.values), _numbers(series.positions)
        if not series.positions:
            del row["positions"]
    axes = {name: _numbers(axis) for name in ("axis", "position_axis") if (axis := facts[name])}
    return {**facts, **axes, "layout": _LAYOUT.dump_python(layout, mode="json")}


def from_facts(facts: Mapping[str, Any]) -> tuple[Chart, Layout]:
    """The chart and its layout, from which :func:`~vision_zero.domains.charts.render.render` draws the same pixels again.

    Raises:
        PairsError: a field is missing or cannot be read.
    """
    try:
        fields = dict(facts)
        layout = _LAYOUT.validate_python(fields.pop("layout", None))
        chart = _CHART.validate_python(fields)
        _check(chart)
    except ValidationError as error:
        raise PairsError(f"not a chart's facts: {problems(error)}; see charts/chart.py for the fields") from error
    except (TypeError, ValueError) as error:
        raise PairsError(f"not a chart's facts: {error}; see charts/chart.py for the fields") from error
    return chart, layout


def _check(chart: Chart) -> None:
    for series in chart.series:
        if len(series.values) != len(series.positions if chart.position_axis else chart.categories):
            raise ValueError(f"series {series.name!r} has {len(series.values)} values for another number of places")
    if chart.colors and len(chart.colors) != len(chart.categories):
        raise ValueError("colors must be empty or one for each category")


def _numbers(values: Sequence[float]) -> list[float]:
    return [int(value) if float(value).is_integer() else value for value in values]


@dataclass(frozen=True, slots=True, order=True)
class DataPoint:
    """Row and column of the table, for the mark that is drawn there: a bar, a slice, a point of a line. In a box plot it is a
    whole box: its cell is the median's, and its numbers are all five."""

    series: int
    place: int


def cells(chart: Chart) -> list[DataPoint]:
    """The cell of every mark."""
    if chart.type == "box_plot":
        return [DataPoint(_MEDIAN, place) for place in range(len(chart.categories))]
    return [DataPoint(row, place) for row, series in enumerate(chart.series) for place in range(len(series.values))]


def value_at(chart: Chart, cell: DataPoint) -> float:
    return chart.series[cell.series].values[cell.place]


def mark_at(chart: Chart, cell: DataPoint) -> tuple[float, ...]:
    """The numbers that the mark is drawn from."""
    if chart.type == "box_plot":
        return tuple(series.values[cell.place] for series in chart.series)
    return (value_at(chart, cell),)


def with_item(items: tuple[T, ...], place: int, item: T) -> tuple[T, ...]:
    """The items with another one in that place."""
    return (*items[:place], item, *items[place + 1 :])


def with_mark(chart: Chart, cell: DataPoint, numbers: tuple[float, ...]) -> Chart:
    """The chart with the mark drawn from other numbers."""
    rows = range(len(chart.series)) if chart.type == "box_plot" else (cell.series,)
    for row, value in zip(rows, numbers, strict=True):
        series = chart.series[row]
        chart = with_series(chart, row, replace(series, values=with_item(series.values, cell.place, value)))
    return chart


def with_series(chart: Chart, row: int, series: Series) -> Chart:
    return replace(chart, series=with_item(chart.series, row, series))


def span(chart: Chart) -> float:
    """The length against which differences of values are measured: the axis, or the largest slice."""
    return max(chart.series[0].values) if chart.type in SLICED else chart.axis[1] - chart.axis[0]


def is_stacked(chart: Chart) -> bool:
    """Do several series stand on top of each other, so that one value moves others' marks?"""
    return chart.type in STACKED and len(chart.series) > 1


def has_fixed_total(chart: Chart) -> bool:
    """Are the values parts of a whole that an edit must keep: a pie, or columns that have one and the same sum?"""
    if chart.type in SLICED:
        return True
    # The compact stack is one column: its categories lie on top of each other.
    if chart.type == "stacked_bars" and len(chart.series) == 1:
        return True
    if not is_stacked(chart):
        return False
    sums = column_sums(chart)
    return max(sums) - min(sums) < _WHOLE * min(1.0, max(sums) / 100)


def column_sums(chart: Chart) -> list[float]:
    return [sum(column) for column in zip(*(series.values for series in chart.series), strict=True)]


def fits_axes(chart: Chart) -> bool:
    """Does every mark lie within the axes?"""
    low, high = chart.axis
    slack = 1e-9 * (high - low)
    if chart.type in SLICED:
        return all(value > 0 for value in chart.series[0].values)
    if is_stacked(chart):
        positive = all(value >= 0 for series in chart.series for value in series.values)
        return positive and max(column_sums(chart)) <= high + _WHOLE * (high == 100) + slack
    inside = all(low - slack <= value <= high + slack for series in chart.series for value in series.values)
    if chart.position_axis is None:
        return inside
    left, right = chart.position_axis
    return inside and all(left <= place <= right for series in chart.series for place in series.positions)
