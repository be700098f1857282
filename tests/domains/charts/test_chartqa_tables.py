"""Reading ChartQA's folder, with the faults that its tables have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from tests.data.s3_server import forbid, options, s3_server
from tests.faults import CONTENT, Fault, faulty_line
from vision_zero.data.remote_storage import ConnectionLostError
from vision_zero.data.storage_config import StorageConfig
from vision_zero.domains.charts.chartqa_csv import parsed
from vision_zero.domains.charts.chartqa_tables import ChartQaTableSource, chart_of
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.errors import ConfigError, PairsError
from vision_zero.randomness import Seed

COUNTRIES = 'Country,"Share of land, 2010"\nHaiti,6.12\nLibya,25.32\nMorocco,5.11\nLebanon,14.5\nColombia,1.45\n'
YEARS = "Entity,2015,2016,2017\nNigeria,38.75,41.35,42.43\nIndia,12.17,9.6,7.25\nWorld,9.91,9.34,8.72\n"
FAULTY = (
    "Entity,Good,Bad,Bad.1,Comment\nJob,Job,3,3,x\nA,nan,4,4,y\nB,12%,5,5,\nB,13%,6,6,z\n"
    "C,\N{MINUS SIGN}1,7,7,z\n,9,9,9,9\nD,1\nE,8,2,2,\n"
)


def folder(root: Path, tables: dict[str, str | bytes], notes: dict[str, Any] | None = None, split: str = "train") -> str:
    for name, text in tables.items():
        path = root / split / "tables" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, note in (notes or {}).items():
        path = root / split / "annotations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(note if isinstance(note, str) else json.dumps(note))
    return str(root)


def config(root: str, **settings: Any) -> ChartsConfig:
    return ChartsConfig(chartqa_root=root, width=360, height=270, **settings)


@pytest.mark.slow
def test_pairs_are_drawn_from_the_tables(tmp_path: Path) -> None:
    root = folder(tmp_path, {"one.csv": COUNTRIES, "notes.txt": "no table"})
    source = ChartQaTableSource(config(root))
    pair = source.sample(Seed(1))
    facts: dict[str, Any] = dict(pair.original_facts)
    assert facts["source"] == "tables/one.csv"
    assert facts["title"] == "Share of land, 2010"
    assert facts["categories"] == ["Haiti", "Libya", "Morocco", "Lebanon", "Colombia"]
    assert facts["series"][0]["values"] == [6.12, 25.32, 5.11, 14.5, 1.45]
    assert pair.original.tobytes() != pair.modified.tobytes()
    assert pair.original.tobytes() == ChartQaTableSource(config(root)).sample(Seed(1)).original.tobytes()


def test_annotations_give_type_and_title(tmp_path: Path) -> None:
    notes = {"one.json": {"type": "h_bar", "general_figure_info": {"title": {"text": "Land that is\nused"}}}}
    facts = ChartQaTableSource(config(folder(tmp_path, {"one.csv": COUNTRIES}, notes))).sample(Seed(2)).original_facts
    assert facts["type"] == "horizontal_bars"
    assert facts["title"] == "Land that is used"


def test_years_in_the_header_become_the_axis() -> None:
    table = parsed(YEARS, "years.csv", {"type": "line"})
    chart = chart_of(ChartsConfig(), table, "years.csv", np.random.default_rng(0))
    assert chart.type == "lines"
    assert chart.ordered
    assert chart.categories == ("2015", "2016", "2017")
    assert [series.name for series in chart.series] == ["Nigeria", "India", "World"]
    assert chart.series[1].values == (12.17, 9.6, 7.25)


def test_years_run_forwards() -> None:
    table = parsed("Characteristic,Share\n2019*,3\n2018,5\n2017,9\n", "back.csv", {})
    chart = chart_of(ChartsConfig(types={"lines": 1}), table, "back.csv", np.random.default_rng(0))
    assert chart.categories == ("2017", "2018", "2019*")
    assert chart.series[0].values == (9.0, 5.0, 3.0)
    months = parsed("Month,Share\nSep 2015,3\nJan 2016,5\nApr 2016,9\n", "months.csv", {})
    forwards = chart_of(ChartsConfig(types={"lines": 1}), months, "months.csv", np.random.default_rng(0))
    assert forwards.categories == ("Sep 2015", "Jan 2016", "Apr 2016")


def test_what_is_no_number_is_left_out() -> None:
    table = parsed(FAULTY, "faulty.csv", {})
    assert table.columns == ("Good", "Bad")
    assert table.rows == ("B", "C", "E")
    assert table.values == ((12.0, -1.0, 8.0), (5.0, 7.0, 2.0))
    assert table.units == ("%", "")
    assert table.left_out == (
        "rows without a name or a number, or named twice: 5",
        "columns named twice: 1",
        "columns with few numbers: Comment",
    )


def test_lines_that_are_longer_than_the_header_hold_the_same_table() -> None:
    table = parsed("Name,a,b\nA,1,2,\nB,3,4,,\nC,5,7,\nD,6,9\n", "long.csv", {})
    assert (table.title, table.rows, table.columns) == ("", ("A", "B", "C", "D"), ("a", "b"))
    assert table.values == ((1.0, 3.0, 5.0, 6.0), (2.0, 4.0, 7.0, 9.0))
    for text in ("Name,a,b\nA,1,2,x\nB,3,4,y\n", "Name,a,b\nA,1\nB,3\n"):
        with pytest.raises(PairsError, match=r"uneven\.csv: holds fewer than two rows as long as its header"):
            parsed(text, "uneven.csv", {})


def test_columns_with_gaps_are_left_out_and_named() -> None:
    table = parsed("Name,a,words,b\nA,1,x,2\nB,3,y,\nC,5,z,\nD,6,u,4\nE,7,v,\n", "gaps.csv", {})
    assert (table.columns, table.left_out) == (("a",), ("columns with few numbers: b",))


def test_tables_are_cut_to_the_configured_size() -> None:
    text = "Name," + ",".join(f"c{place}" for place in range(9)) + "\n"
    text += "".join(f"row {row}," + ",".join(str(row + place) for place in range(9)) + "\n" for row in range(30))
    settings = ChartsConfig(types={"heat_map": 1}, max_categories=7, max_series=3)
    chart = chart_of(settings, parsed(text, "large.csv", {}), "large.csv", np.random.default_rng(0))
    assert len(chart.categories) == 7
    assert [series.name for series in chart.series] == ["c0", "c1", "c2"]
    assert chart.series[2].values[:3] == (2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    "text",
    [b"", b"Entity,Values\n", b"Entity,Values\nA,1\n", b"Entity\nA\nB\n", b"Entity,Values\nA,x\nB,y\n", b"\xff\xfe\x00A,\xd8",
     b'Entity,Values\n"A,1\nB,2\n', b"Entity,Values\nA,inf\nB,nan\nC,1\n"],
)  # fmt: skip
def test_bad_tables_are_named(tmp_path: Path, text: bytes) -> None:
    source = ChartQaTableSource(config(folder(tmp_path, {"bad.csv": text})))
    with pytest.raises(PairsError, match=r"bad\.csv") as raised:
        source.table(source.tables[0])
    assert "\n" not in str(raised.value)
    with pytest.raises(PairsError, match=r"no usable table.*bad\.csv"):
        source.sample(Seed(3))


def test_a_bad_annotation_is_named(tmp_path: Path) -> None:
    source = ChartQaTableSource(config(folder(tmp_path, {"one.csv": COUNTRIES}, {"one.json": "{"})))
    with pytest.raises(PairsError, match=r"one\.csv"):
        source.table(source.tables[0])


@pytest.mark.slow
def test_tables_without_a_possible_edit_are_counted(tmp_path: Path) -> None:
    root = folder(tmp_path, {"equal.csv": "Entity,Values\nA,4\nB,4\nC,4\n", "good.csv": COUNTRIES})
    source = ChartQaTableSource(config(root))
    assert {source.sample(Seed(4).child(place)).original_facts["source"] for place in range(6)} == {"tables/good.csv"}
    report = source.report()
    assert (report.skipped, report.not_edited) == ({}, {"equal.csv": "no edit that is allowed suits its chart"})


@pytest.mark.slow
def test_bad_tables_are_skipped(tmp_path: Path) -> None:
    root = folder(tmp_path, {"a_bad.csv": "Entity,Values\nA,x\n", "good.csv": COUNTRIES, "z_bad.csv": b"\xff"})
    source = ChartQaTableSource(config(root))
    assert {source.sample(Seed(4).child(place)).original_facts["source"] for place in range(2)} == {"tables/good.csv"}


def test_other_file_systems_work_alike(tmp_path: Path) -> None:
    files = fsspec.filesystem("memory")
    files.pipe_file("/chartqa/val/tables/one.csv", COUNTRIES.encode())
    source = ChartQaTableSource(config("memory://chartqa", chartqa_split="val", storage=StorageConfig(cache=str(tmp_path))))
    facts: dict[str, Any] = dict(source.sample(Seed(5)).original_facts)
    assert facts["source"] == "tables/one.csv"
    assert facts["categories"][0] == "Haiti"


def test_names_of_an_unknown_sort_are_exchanged(tmp_path: Path) -> None:
    text = "Party,Votes\nPurple list,20\nOrange list,50\nGrey list,90\n"
    pair = ChartQaTableSource(config(folder(tmp_path, {"p.csv": text}), edits={"relabel": 1})).sample(Seed(6))
    facts: dict[str, Any] = dict(pair.modified_facts)
    assert sorted(facts["categories"]) == ["Grey list", "Orange list", "Purple list"]
    assert len(pair.changes) == 2


def test_folders_without_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="must hold train, val and test"):
        ChartQaTableSource(config(str(tmp_path)))
    (tmp_path / "train" / "tables").mkdir(parents=True)
    with pytest.raises(PairsError, match=r"no tables in .*must hold train, val and test"):
        ChartQaTableSource(config(str(tmp_path)))
    with pytest.raises(PairsError, match="cannot be opened"):
        ChartQaTableSource(config("nosuch://bucket/chartqa"))
    with pytest.raises(ConfigError, match="chartqa_root"):
        ChartQaTableSource(ChartsConfig())


@pytest.mark.slow
@pytest.mark.s3
def test_tables_of_a_bucket_are_those_of_a_folder(tmp_path: Path) -> None:
    notes = {"one.json": {"type": "h_bar"}}
    root = folder(tmp_path / "made", {"one.csv": COUNTRIES, "years.csv": YEARS, "bad.csv": b"\xff"}, notes)
    local = ChartQaTableSource(config(root))
    with s3_server() as url:
        fsspec.filesystem("s3", **options(url)).put(root, "pairs/chartqa", recursive=True)

        def remote(
            address: str, location: str = "s3://pairs/chartqa", cache: str = "cache", **settings: Any
        ) -> ChartQaTableSource:
            storage = StorageConfig(options=options(address), cache=str(tmp_path / cache), wait_s=0.01, **settings)
            return ChartQaTableSource(config(location, storage=storage))

        source = remote(url)
        assert source.tables == local.tables == ["bad.csv", "one.csv", "years.csv"]
        for place in range(3):
            ours, theirs = local.sample(Seed(7).child(place)), source.sample(Seed(7).child(place))
            assert ours.facts_json() == theirs.facts_json()
            assert ours.modified.tobytes() == theirs.modified.tobytes()
        for location in ("s3://nosuch/chartqa", "s3://pairs/elsewhere"):
            with pytest.raises(PairsError, match=r"no such folder, bucket or file.*must hold train, val and test") as raised:
                remote(url, location)
            assert "\n" not in str(raised.value)
        with faulty_line(url, Fault("cut answer", "GET", CONTENT, 2)) as line:
            assert remote(line.url, cache="tried again").sample(Seed(7)).facts_json() == local.sample(Seed(7)).facts_json()
        with faulty_line(url, Fault("cut answer", "GET", CONTENT)) as line:
            lost = remote(line.url, cache="lost", attempts=2)
            with pytest.raises(ConnectionLostError, match="tried 2 times"):
                lost.sample(Seed(7))
        forbid(url)
        with pytest.raises(PairsError, match="no permission"):
            remote(url)


@pytest.mark.slow
@pytest.mark.usefixtures("no_installed_fonts")
def test_what_was_left_out_and_what_cannot_be_drawn_is_reported(tmp_path: Path) -> None:
    tables: dict[str, str | bytes] = {"a.csv": "Country,GDP\n中国,5\n日本,3\n", "b.csv": COUNTRIES + "Total,52.5\n"}
    source = ChartQaTableSource(config(folder(tmp_path, tables)))
    for place in range(6):
        source.sample(Seed(8).child(place))
    report = source.report()
    assert list(report.skipped) == ["a.csv"]
    assert "no letters of the charts' fonts: 中国日本" in report.skipped["a.csv"]
    assert report.adjusted == {"b.csv": "left out totals, which are no parts: Total"}
