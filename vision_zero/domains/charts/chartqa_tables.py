"""Real tables: those of ChartQA (Masry et al., 2022), drawn anew in our looks and then edited.

The data set's layout is ``<root>/{train,val,test}/{tables/*.csv, png/*.png, annotations/*.json}``. A table's first column
names the rows, its header the columns. Where a chart's annotation is there, its type and title are used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from itertools import compress
from pathlib import PurePosixPath
from typing import Any, final

import numpy as np

from vision_zero.data.image_pair import ImagePair
from vision_zero.data.json_csv import text_of
from vision_zero.data.remote_storage import ConnectionLostError, NotThereError, Storage
from vision_zero.data.source import PairSource
from vision_zero.data.source_report import SourceReport
from vision_zero.data.splits import EVERYTHING, SplitFilter
from vision_zero.domains.charts.chart import SLICED, STACKED, Chart, Series
from vision_zero.domains.charts.chartqa_csv import ParsedTable, parsed
from vision_zero.domains.charts.config import ChartsConfig, ChartType
from vision_zero.domains.charts.glyphs import unreadable, with_fonts_for
from vision_zero.domains.charts.random_chart import value_axis
from vision_zero.domains.charts.random_style import sample_colors, sample_style
from vision_zero.domains.charts.source import chart_pair
from vision_zero.domains.charts.ticks import nice_range
from vision_zero.domains.charts.times import forwards, moments
from vision_zero.errors import ConfigError, PairsError
from vision_zero.randomness import Seed, one_of, weighted
from vision_zero.text import well_formed

TABLE_TRIES = 50
NO_EDIT = "no edit that is allowed suits its chart"
_TABLES = (".csv", ".tsv")
MOST_BARS = 24
MOST_SLICES = 8
_ANNOTATED: Mapping[str, tuple[ChartType, ...]] = {
    "v_bar": ("vertical_bars", "grouped_bars", "stacked_bars"),
    "h_bar": ("horizontal_bars", "grouped_bars", "stacked_bars"),
    "line": ("lines",),
    "pie": ("pie", "doughnut"),
}
_UNKNOWN_TO_CHARTQA: frozenset[ChartType] = frozenset(("heat_map", "scatter", "box_plot", "histogram"))
_NOT_NAMES = frozenset(
    ("", "value", "values", "characteristic", "entity", "category", "label", "name", "unnamed: 0", "unnamed: 1")
)


@final
class ChartQaTableSource(PairSource):
    """Draws tables of ChartQA and their edited copies. The root may be a folder or any URL that fsspec reads (s3://...).

    Attributes:
        tables: the names of the CSV files that may be drawn.

    Raises:
        ConfigError: the configuration names no ``chartqa_root``.
        PairsError: there are no tables, or they may not be listed.
        ConnectionLostError: the root cannot be reached.
    """

    domain = "charts"

    def __init__(self, config: ChartsConfig, only: SplitFilter = EVERYTHING) -> None:
        if config.chartqa_root is None:
            raise ConfigError("set chartqa_root to the folder of the ChartQA data set that holds train, val and test")
        self.config = config
        split = f"{config.chartqa_root.rstrip('/')}/{config.chartqa_split}"
        try:
            self._files = Storage(f"{split}/tables", config.storage)
        except NotThereError as error:
            raise PairsError(f"{error}; chartqa_root must hold train, val and test of ChartQA") from error
        names = [name for name in self._files.entries if name.lower().endswith(_TABLES)]
        if not names:
            raise PairsError(f"no tables in {split}/tables: chartqa_root must hold train, val and test of ChartQA")
        self._names, self._problems, self._looked_at = names, dict[str, str](), set[str]()
        self._adjusted, self._edited = dict[str, str](), dict[str, bool]()
        self.tables = self._tables_of(only)
        # Listed apart from the tables: beside both lie the images, which nobody needs here.
        self._annotations: Storage | None
        try:
            self._annotations = Storage(f"{split}/annotations", config.storage)
        except NotThereError:
            self._annotations = None

    def _tables_of(self, only: SplitFilter) -> list[str]:
        return list(compress(self._names, only.choose([f"/tables/{well_formed(name)}".encode() for name in self._names])))

    def of(self, only: SplitFilter) -> ChartQaTableSource:
        view = copy(self)
        view.tables = self._tables_of(only)
        return view

    def report(self) -> SourceReport:
        return SourceReport(
            domain=self.domain,
            location=well_formed(self._files.location),
            things="tables",
            files=len(self._files.entries),
            found=len(self._names),
            looks=len(self._looked_at),
            failures=len(self._problems),
            skipped=dict(self._problems),
            adjusted=dict(self._adjusted),
            not_edited=dict.fromkeys((name for name, is_edited in self._edited.items() if not is_edited), NO_EDIT),
            left_out={"files that are no .csv or .tsv": rest} if (rest := len(self._files.entries) - len(self._names)) else {},
        )

    def sample(self, seed: Seed) -> ImagePair:
        drawn: list[str] = []

        def chart(rng: np.random.Generator) -> Chart:
            found = self._chart(rng)
            drawn.append(found.source.removeprefix("tables/"))
            return found

        pair = chart_pair(self.config, seed, chart)
        for name in drawn:
            self._edited.setdefault(name, False)
        self._edited[drawn[-1]] = True  # after tables that no edit suited
        return pair

    def table(self, name: str) -> ParsedTable:
        """Read one of ``tables``.

        Raises:
            PairsError: the file, or its annotation, cannot be read or holds no table of numbers.
            ConnectionLostError: it cannot be reached now; that does not make it unusable.
        """
        try:
            text = text_of(self._files.read(name), name)
            notes = self._notes(str(PurePosixPath(name).with_suffix(".json")))
        except (ValueError, RecursionError) as error:
            raise PairsError(f"{name}: cannot be read: {' '.join(str(error).split())}") from error
        return parsed(text, name, notes)

    def _notes(self, name: str) -> Mapping[str, Any]:
        """The table's annotation; empty where there is none."""
        if self._annotations is None or name not in self._annotations.entries:
            return {}
        notes = json.loads(self._annotations.read(name))
        return notes if isinstance(notes, dict) else {}

    def _chart(self, rng: np.random.Generator) -> Chart:
        """A random table as a chart. Tables that cannot be used are skipped; when too many are, the last one is blamed. What is
        wrong with them, and what was left out of the others, is remembered for the report."""
        problem = PairsError("")
        for _ in range(TABLE_TRIES):
            name = one_of(self.tables, rng)
            told = well_formed(name)
            self._looked_at.add(name)
            try:
                table = self.table(name)
                if table.left_out:
                    self._adjusted[told] = well_formed("left out " + "; ".join(table.left_out))
                chart = chart_of(self.config, table, f"tables/{told}", rng)
            except ConnectionLostError:
                raise
            except PairsError as error:
                self._problems[told] = well_formed(str(error))
                problem = error
            else:
                self._problems.pop(told, None)
                return chart
        raise PairsError(f"no usable table of ChartQA after {TABLE_TRIES} tries; the last: {problem}") from problem


def chart_of(config: ChartsConfig, table: ParsedTable, source: str, rng: np.random.Generator) -> Chart:
    """The table as a chart of a type that suits it and that ``config.types`` allows, cut down to the configured sizes.

    Columns of different units or scales share no axis: where a table has several, the columns of one of them are drawn.

    Raises:
        PairsError: no allowed type suits the table.
    """
    units = tuple(dict.fromkeys(table.units))
    if len(units) > 1:
        table = table.of_unit(one_of(units, rng))
    if len(table.columns) > 1 and moments(table.columns) and not moments(table.rows):
        table = table.turned()
    else:
        parts = table.by_scale()
        table = one_of(parts, rng) if len(parts) > 1 else parts[0]
    names = table.rows[: config.max_categories]
    columns = table.columns[: config.max_series]
    values = [list(column[: len(names)]) for column in table.values[: len(columns)]]
    times = moments(names)
    ordered = times is not None
    if times:
        places = forwards(names, times)
        names, values = tuple(names[place] for place in places), [[column[place] for place in places] for column in values]
    kind = _kind(config, table, values, source, rng, ordered=ordered)
    if kind == "grouped_bars":
        names = names[: MOST_BARS // len(columns)]
        values = [column[: len(names)] for column in values]
    style = replace(sample_style(kind, rng), horizontal=table.annotation == "h_bar")
    sliced = kind in SLICED
    colors = sample_colors(style, len(names) if sliced else len(columns), rng)
    shown = (
        [sum(column) for column in zip(*values, strict=True)] if kind in STACKED else [value for row in values for value in row]
    )
    title, value_name = _titles(table, columns)
    texts = "".join((title, value_name, table.unit, table.row_title, *names, *columns))
    style = with_fonts_for(style, texts)
    if lost := unreadable(texts, style.font, style.fallbacks):
        raise PairsError(f"{source}: no letters of the charts' fonts: {lost[:8]}")
    return Chart(
        type=kind,
        title=title,
        unit=table.unit,
        value_name=value_name,
        position_name="" if table.row_title.lower() in _NOT_NAMES or sliced else table.row_title,
        categories=names,
        colors=colors if sliced else (),
        series=tuple(
            Series(name, "" if sliced or kind == "heat_map" else color, tuple(row))
            for name, color, row in zip(columns, colors, values, strict=False)
        ),
        axis=_axis(kind, shown, table, style.value_labels),
        ordered=ordered,
        style=style,
        source=source,
    )


def _kind(
    config: ChartsConfig,
    table: ParsedTable,
    values: list[list[float]],
    source: str,
    rng: np.random.Generator,
    *,
    ordered: bool,
) -> ChartType:
    """The annotated type where it is allowed and suits; else one that does.

    ChartQA has no heat maps: they are drawn where nothing else is allowed.
    """
    allowed = [kind for kind, weight in config.types.items() if weight > 0]
    kinds = {kind: config.types[kind] for kind in allowed if _suits(kind, values, ordered)}
    if not set(allowed) <= _UNKNOWN_TO_CHARTQA:
        kinds = {kind: weight for kind, weight in kinds.items() if kind not in _UNKNOWN_TO_CHARTQA}
    if not kinds:
        raise PairsError(
            f"{source}: none of the allowed types of chart suits its {len(values[0])} rows and {len(values)} columns"
        )
    return weighted({kind: kinds[kind] for kind in _ANNOTATED.get(table.annotation, ()) if kind in kinds} or kinds, rng)


def _titles(table: ParsedTable, columns: tuple[str, ...]) -> tuple[str, str]:
    """The chart's title and that of its value axis; a lone column's header is the one or, below another title, the other."""
    header = columns[0] if len(columns) == 1 and columns[0].lower() not in _NOT_NAMES else ""
    title = table.title or header
    return title, table.value_title or (header if header != title else "")


def _axis(kind: ChartType, shown: list[float], table: ParsedTable, has_numbers: bool) -> tuple[float, float]:
    if kind in SLICED:
        return (0.0, sum(shown))
    if kind == "heat_map":
        return nice_range(min(shown), max(shown))
    if min(shown) >= 0:
        return value_axis(shown, table.unit, True, has_numbers)
    return value_axis([*shown, 0.0], "", False, has_numbers)


def _suits(kind: ChartType, values: list[list[float]], ordered: bool) -> bool:
    """Would a person draw these columns of numbers so?"""
    several, count = len(values) > 1, len(values[0])
    positive = all(value > 0 for row in values for value in row)
    sums = [sum(column) for column in zip(*values, strict=True)]
    even = max(sums) - min(sums) < 0.1 * max(sums)
    whole = not several and positive and count <= MOST_SLICES and 95 <= sum(values[0]) <= 105
    suited: dict[ChartType, bool] = {
        "vertical_bars": not several,
        "horizontal_bars": not several,
        "pie": whole,
        "doughnut": whole,
        "lines": ordered and count > 2,
        "areas": ordered and count > 2 and positive and (even or not several),
        "stacked_bars": several and positive and even,
        "grouped_bars": several,
        "heat_map": several and max(map(max, values)) > min(map(min, values)),
    }
    return suited.get(kind, False)
