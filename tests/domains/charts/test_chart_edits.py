"""Each edit does what its log says, in the facts and in the pixels."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import numpy as np
import pytest

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.config import COMPACT_EDITS, ChartEdit, ChartsConfig
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.charts.ticks import number
from vision_zero.randomness import Seed

SHARED = ("type", "title", "unit", "value_name", "ordered", "layout")


@cache
def pairs(kind: ChartEdit) -> tuple[ImagePair, ...]:
    """Pairs of that edit: full ones, and compact ones where that look has the edit."""
    full = ChartsConfig(edits={kind: 1}, max_changes=2, width=320, height=240)
    made = [ChartSource(full).sample(Seed(11).child(kind, place)) for place in range(3)]
    if kind in COMPACT_EDITS:
        compact = ChartsConfig(style="compact", edits={kind: 1}, max_changes=2)
        made += [ChartSource(compact).sample(Seed(12).child(kind, place)) for place in range(12)]
    return tuple(made)


def both(pair: ImagePair) -> tuple[dict[str, Any], dict[str, Any]]:
    return dict(pair.original_facts), dict(pair.modified_facts)


def rows(facts: dict[str, Any]) -> list[list[float]]:
    return [series["values"] for series in facts["series"]]


def names(facts: dict[str, Any]) -> list[str]:
    return [series["name"] for series in facts["series"]]


def differing(pair: ImagePair) -> list[str]:
    """Fields of the facts that differ, with the series' fields one by one."""
    before, after = both(pair)
    found = [key for key in before if key != "series" and before[key] != after[key]]
    fields = ("name", "color", "values", "positions")
    columns = {field: [[series.get(field) for series in facts["series"]] for facts in (before, after)] for field in fields}
    return found + [field for field, (old, new) in columns.items() if old != new]


def changed_cells(pair: ImagePair) -> list[tuple[float, float]]:
    before, after = (np.array(rows(facts), dtype=object).ravel() for facts in both(pair))
    return [
        (old, new)
        for one, other in zip(before, after, strict=True)
        for old, new in zip(np.atleast_1d(one), np.atleast_1d(other), strict=True)
        if old != new
    ]


def line_between_two_changes() -> ImagePair:
    """A line that turns more sharply between two changed points than either change alone makes it."""
    config = ChartsConfig(style="compact", types={"lines": 1}, edits={"swap_values": 1}, max_changes=2)
    return ChartSource(config).sample(Seed(15).child(64))


@pytest.mark.slow
@pytest.mark.parametrize("kind", get_args(ChartEdit))
def test_images_differ_within_the_boxes_only(kind: ChartEdit) -> None:
    for pair in (*pairs(kind), *((line_between_two_changes(),) if kind == "swap_values" else ())):
        assert pair.original.size == pair.modified.size
        differs = (np.asarray(pair.original) != np.asarray(pair.modified)).any(axis=2)
        allowed = np.zeros_like(differs)
        for change in pair.changes:
            left, top, right, bottom = change.box
            assert 0 <= left < right <= pair.original.width
            assert 0 <= top < bottom <= pair.original.height
            assert change.kind == kind
            assert change.before != change.after
            assert differs[top:bottom, left:right].any()
            allowed[top:bottom, left:right] = True
        assert not (differs & ~allowed).any(), pair.original_facts["type"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", get_args(ChartEdit))
def test_what_was_not_edited_stays(kind: ChartEdit) -> None:
    for pair in pairs(kind):
        before, after = both(pair)
        assert {key: before[key] for key in SHARED} == {key: after[key] for key in SHARED}
        assert (before["style"] == after["style"]) or (kind == "recolor" and before["type"] == "heat_map")


def test_swapped_values_are_the_same_values_elsewhere() -> None:
    for pair in pairs("swap_values"):
        before, _ = both(pair)
        assert differing(pair) == ["values"]
        cells = changed_cells(pair)
        per_mark = 5 if before["type"] == "box_plot" else 1
        assert 0 < len(cells) <= per_mark * len(pair.changes)
        assert sorted(old for old, _ in cells) == sorted(new for _, new in cells)
        assert len(pair.changes) in (2, 4)
        for first, second in zip(pair.changes[::2], pair.changes[1::2], strict=True):
            assert first.before.split()[-1].rstrip(")") == second.after.split()[-1].rstrip(")")
            assert second.before.split()[-1].rstrip(")") == first.after.split()[-1].rstrip(")")


def test_changed_values_are_logged_and_large_enough() -> None:
    for pair in pairs("change_values"):
        before, _ = both(pair)
        assert differing(pair) == ["values"]
        if before["type"] == "box_plot":
            continue
        cells = changed_cells(pair)
        assert len(cells) == len(pair.changes)
        sliced = before["type"] in ("pie", "doughnut")
        span = max(rows(before)[0]) if sliced else before["axis"][1] - before["axis"][0]
        # A partner that gives what the other takes moves as far; two edits of one pie may have moved the largest slice.
        assert max(abs(new - old) for old, new in cells) >= 0.15 * span - 1e-6
        assert all(before["axis"][0] <= new <= before["axis"][1] for _, new in cells)
        for old, new in cells:
            assert any(number(old) in change.before and number(new) in change.after for change in pair.changes)


def test_every_logged_change_can_be_told_even_where_any_difference_will_do() -> None:
    settings: dict[str, Any] = {"types": {"doughnut": 1}, "edits": {"change_values": 1}, "min_difference": 0}
    source = ChartSource(ChartsConfig(style="compact", min_changes=2, max_changes=2, min_categories=4, **settings))
    for place in range(12):
        pair = source.sample(Seed(18).child(place))
        assert all(change.before != change.after for change in pair.changes)


@pytest.mark.slow
def test_a_whole_stays_a_whole() -> None:
    for kind in ("pie", "doughnut"):
        source = ChartSource(ChartsConfig(types={kind: 1}, edits={"change_values": 1}, width=320, height=240))
        for place in range(2):
            pair = source.sample(Seed(13).child(kind, place))
            assert sum(rows(dict(pair.modified_facts))[0]) == 100
            assert len(changed_cells(pair)) == 2


def test_swapped_series_exchange_their_numbers() -> None:
    for pair in pairs("swap_series"):
        before, after = both(pair)
        assert names(before) == names(after)
        assert sorted(map(str, rows(before))) == sorted(map(str, rows(after)))
        moved = [name for name, old, new in zip(names(before), rows(before), rows(after), strict=True) if old != new]
        assert len(moved) == 2 or before["type"] == "scatter"
        assert {change.before.split(" ")[0] for change in pair.changes} == {change.after.split(" ")[0] for change in pair.changes}


def test_relabelled_things_keep_their_values() -> None:
    for pair in pairs("relabel"):
        before, after = both(pair)
        assert differing(pair) in (["categories"], ["name"])
        key = [(old, new) for facts in (differing(pair),) for old, new in _labels(before, after, facts[0]) if old != new]
        assert sorted(key) == sorted(
            (change.before.removeprefix("label "), change.after.removeprefix("label ")) for change in pair.changes
        )


def _labels(before: dict[str, Any], after: dict[str, Any], field: str) -> list[tuple[str, str]]:
    if field == "categories":
        return list(zip(before["categories"], after["categories"], strict=True))
    return list(zip(names(before), names(after), strict=True))


def test_recoloured_things_keep_their_values() -> None:
    for pair in pairs("recolor"):
        before, after = both(pair)
        assert rows(before) == rows(after)
        compact = before["style"]["look"] == "compact"
        allowed = {"categories", "colors"} if compact else {"colors", "color", "style"}
        assert set(differing(pair)) <= allowed
        if compact:
            assert len(set(after["categories"])) == len(after["categories"])
            fresh = set(after["categories"]) - set(before["categories"])
            assert fresh == {change.after.split()[0] for change in pair.changes}


def test_reordered_things_keep_what_belongs_to_them() -> None:
    for pair in pairs("reorder"):
        before, after = both(pair)
        of_names = [
            {name: [row[place] for row in rows(facts)] for place, name in enumerate(facts["categories"])}
            for facts in (before, after)
        ]
        of_series = [dict(zip(names(facts), rows(facts), strict=True)) for facts in (before, after)]
        if before["categories"] != after["categories"]:
            assert of_names[0] == of_names[1]
            if before["colors"]:
                colors = [dict(zip(facts["categories"], facts["colors"], strict=True)) for facts in (before, after)]
                assert colors[0] == colors[1]
            moved = sum(old != new for old, new in zip(before["categories"], after["categories"], strict=True))
        else:
            assert of_series[0] == of_series[1]
            moved = sum(old != new for old, new in zip(names(before), names(after), strict=True))
        assert moved == 2 == len(pair.changes)


def test_a_changed_axis_still_holds_the_data() -> None:
    for pair in pairs("change_axis"):
        before, after = both(pair)
        (field,) = differing(pair)
        assert field in ("axis", "position_axis")
        assert after[field][0] <= before[field][0]
        assert after[field][1] >= before[field][1]
        assert number(after[field][1]) in pair.changes[0].after


@pytest.mark.slow
def test_the_number_of_changes_is_as_configured() -> None:
    for least, most in ((1, 1), (2, 2)):
        config = ChartsConfig(style="compact", edits={"recolor": 1}, min_changes=least, max_changes=most)
        for place in range(6):
            assert len(ChartSource(config).sample(Seed(14).child(most, place)).changes) == least


@pytest.mark.slow
def test_stacked_values_are_swapped_within_their_column() -> None:
    source = ChartSource(ChartsConfig(types={"stacked_bars": 1, "areas": 1}, max_series=3, width=320, height=240))
    made = [source.sample(Seed(16).child(place)) for place in range(4)]
    stacked = [pair for pair in made if len(rows(dict(pair.original_facts))) > 1]
    assert len(stacked) >= 2
    for pair in stacked:
        sums = [np.sum(rows(facts), axis=0) for facts in both(pair)]
        assert sums[0] == pytest.approx(sums[1])
        assert pair.changes[0].box == pair.changes[1].box, "they cannot be told apart"


def test_slices_are_recoloured() -> None:
    source = ChartSource(ChartsConfig(types={"pie": 1, "doughnut": 1}, edits={"recolor": 1}, width=320, height=240))
    pair = source.sample(Seed(17))
    before, after = both(pair)
    assert differing(pair) == ["colors"]
    assert sum(old != new for old, new in zip(before["colors"], after["colors"], strict=True)) == len(pair.changes)
