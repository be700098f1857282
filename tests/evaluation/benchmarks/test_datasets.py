"""Where benchmarks come from: parquet, JSON, folders, URLs, a hub; and what is said when nothing usable is there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from tests.evaluation.benchmarks.make import PNG, chart_row, problem
from vision_zero.config.suites import SuiteConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks import datasets
from vision_zero.evaluation.benchmarks.chartqa import ChartQA
from vision_zero.evaluation.benchmarks.datasets import cell_image, load_table
from vision_zero.evaluation.benchmarks.mathvista import MathVista


def write(rows: Sequence[dict[str, Any]], path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def test_a_parquet_file(tmp_path: Path) -> None:
    benchmark = MathVista.load(
        SuiteConfig(name="mathvista", source=str(write([problem("1"), problem("2")], tmp_path / "any.parquet")))
    )
    assert [benchmark.key(number) for number in range(2)] == ["1", "2"]
    assert benchmark.item(1).image.size == (8, 6)


@pytest.mark.parametrize("folder", ["a::b", "chain::zip", "a[1]", "what?", "a%20b"])
def test_a_local_folder_may_have_any_name(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / folder).mkdir()
    write([problem("1")], tmp_path / folder / "any.parquet")
    monkeypatch.chdir(tmp_path)
    for source in (str(tmp_path / folder / "any.parquet"), f"{folder}/any.parquet"):
        assert MathVista.load(SuiteConfig(name="mathvista", source=source)).key(0) == "1"


def test_a_folder_of_parts_and_other_splits(tmp_path: Path) -> None:
    write([chart_row(["1"])], tmp_path / "test-00000-of-00002.parquet")
    write([chart_row(["2"])], tmp_path / "test-00001-of-00002.parquet")
    write([chart_row(["3"])], tmp_path / "testmini-00000-of-00001.parquet")
    write([chart_row(["4"])], tmp_path / "val-00000-of-00001.parquet")
    benchmark = ChartQA.load(SuiteConfig(name="chartqa", source=str(tmp_path)))
    assert [benchmark.verdict(number, "").answers for number in range(len(benchmark))] == [("1",), ("2",)]


def test_the_official_json_with_its_images(tmp_path: Path) -> None:
    row = problem("9")
    del row["decoded_image"], row["pid"]
    (tmp_path / "testmini.json").write_text(json.dumps({"9": row}))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "9.jpg").write_bytes(PNG)
    benchmark = MathVista.load(SuiteConfig(name="mathvista", source=str(tmp_path)))
    assert benchmark.key(0) == "9"
    assert benchmark.item(0).image.size == (8, 6)


def test_urls_are_read_alike() -> None:
    files = fsspec.filesystem("memory")
    rows = "\n".join(json.dumps({"type": "human_test", "question": "?", "answer": "14", "image": f"{name}.png"}) for name in "ab")
    files.pipe_file("/charts/test.jsonl", rows.encode())
    files.pipe_file("/charts/b.png", PNG)
    benchmark = ChartQA.load(SuiteConfig(name="chartqa", source="memory://charts"))
    assert len(benchmark) == 2
    assert benchmark.item(1).image.size == (8, 6)
    with pytest.raises(EvaluationError, match=r"a\.png of row 0 is missing beside it"):
        benchmark.item(0)


def test_a_hub_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def hub(name: str, split: str, revision: str | None) -> Dataset:
        asked.append((name, split, revision))
        return Dataset.from_list([problem("1"), problem("2")])

    monkeypatch.setattr(datasets, "load_dataset", hub)
    benchmark = MathVista.load(SuiteConfig(name="mathvista", revision="abc"))
    assert asked == [("AI4Math/MathVista", "testmini", "abc")]
    assert (len(benchmark), benchmark.item(1).image.size) == (2, (8, 6))


def test_an_unreachable_hub_says_what_to_give_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    def hub(*_: Any, **__: Any) -> Dataset:
        raise ConnectionError("Couldn't reach\n'AI4Math/MathVista' on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", hub)
    with pytest.raises(EvaluationError, match=r"data/testmini-\*\.parquet and give that file, its folder or an s3://") as raised:
        MathVista.load(SuiteConfig(name="mathvista"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.parquet", b"PAR1 no parquet", "not a readable parquet file"),
        ("a.json", b"[1, 2]", "must hold a list of objects"),
        ("a.json", b"{", "is not JSON"),
        ("a.json", b'{"1": {}, "1": {}}', "'1' occurs twice"),
        ("a.jsonl", b'{"a": 1}\n[]', "line 2 must be a JSON object"),
        ("a.json", b"\xff\xff", "cannot be read"),
        ("a.csv", b"a,b", r"neither a \.parquet nor"),
        ("a.json", b"[" * 100_000, "is not JSON"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EvaluationError, match=words) as raised:
        load_table(str(tmp_path / name), "test")
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("source", ["nowhere/at/all", "nosuch://bucket/file", "s3:/x"])
def test_sources_that_are_not_there(source: str) -> None:
    with pytest.raises(EvaluationError, match=r"split test|cannot be read"):
        load_table(source, "test")


def test_an_empty_folder_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"no file of the split test: give test-\*\.parquet"):
        load_table(str(tmp_path), "test")


def test_images_stay_inside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.json").write_text(json.dumps([{"image": "../secret.png"}]))
    table = load_table(str(tmp_path / "data"), "test")
    with pytest.raises(EvaluationError, match="is missing beside it"):
        cell_image(table.rows[0]["image"], table, "row 0")
