"""Of a data set no file, list or row is dropped, or read in another's place, without a word."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from tests.domains.imported.samples import cell, pairs_of, put, table
from tests.domains.imported.test_imported_documents import as_csv, beside, rows
from tests.domains.imported.test_imported_files import folder, sound, source
from vision_zero.errors import PairsError


@pytest.mark.parametrize("text", ["", " \n", "[]", "{}", "7", '["cat", "dog"]', "[[1, 2]]"])
def test_a_json_file_that_is_no_table_is_left_out_beside_one(text: str, tmp_path: Path) -> None:
    beside(tmp_path)
    put(tmp_path, {"pairs.csv": as_csv(rows(), ",").encode(), "a_labels.json": text.encode()})
    made = source(str(tmp_path), layout="table")
    assert set(pairs_of(made)) == {"pairs.csv:0", "pairs.csv:1"}
    assert made.report().left_out == {"files without rows": 1}
    with pytest.raises(PairsError, match=r"holds no rows: a list of objects is needed|has no rows"):
        source(str(tmp_path / "a_labels.json"))


def test_lists_of_json_are_not_dropped_unseen(tmp_path: Path) -> None:
    beside(tmp_path)
    first, second = rows()
    (tmp_path / "pairs.json").write_text(json.dumps([first, None, second]))
    made = source(str(tmp_path / "pairs.json"))
    assert set(pairs_of(made)) == {"pairs.json:0", "pairs.json:2"}
    assert made.problems == {"pairs.json:1": "pairs.json: a row of a list is no JSON object"}
    (tmp_path / "pairs.json").write_text(json.dumps({"made": "today", "part1": [first], "part2": [second, second]}))
    with pytest.raises(PairsError, match=r"pairs\.json: holds several lists of like rows \(part1, part2\): make one of them"):
        source(str(tmp_path / "pairs.json"))
    licenses = [{"id": 1, "name": "CC0"}]
    (tmp_path / "pairs.json").write_text(json.dumps({"pairs": [first, second], "licenses": licenses}))
    assert len(source(str(tmp_path / "pairs.json"))) == 2
    (tmp_path / "pairs.json").write_text(json.dumps({"licenses": licenses, "val": [second, second], "train": [first]}))
    made = source(str(tmp_path / "pairs.json"))
    assert (set(pairs_of(made)), made.report().left_out) == ({"pairs.json:2"}, {"rows of other splits": 2})


def test_a_row_with_more_cells_than_the_header_is_skipped_with_its_reason(tmp_path: Path) -> None:
    beside(tmp_path)
    good, wrong = "so,images/0_a.png,images/0_b.png,,\n", "red, please,images/1_a.png,images/1_b.png\n"
    (tmp_path / "pairs.csv").write_text(f"edit,original,modified\n{good}{wrong}")
    made = source(str(tmp_path / "pairs.csv"))
    assert set(pairs_of(made)) == {"pairs.csv:0"}
    told = "pairs.csv: row 2 below the header has 4 cells, and the header 3: a text with the delimiter in it needs quotes"
    assert made.report().skipped == {"pairs.csv:1": told}
    (tmp_path / "pairs.csv").write_text(f"edit,original,modified\n{wrong}")
    with pytest.raises(PairsError, match=r"pairs\.csv: row 1 below the header has 4 cells"):
        source(str(tmp_path / "pairs.csv"))


def test_compressed_and_hidden_tables_beside_others_are_counted(tmp_path: Path) -> None:
    beside(tmp_path)
    csv_file = as_csv(rows(), ",").encode()
    put(tmp_path / "a", {"pairs.csv": csv_file, "more.csv.gz": b"1", "notes.txt": b"", ".DS_Store": b""})
    packed = "compressed files, which are not read: unpack them, or make plain .tar archives"
    assert source(str(tmp_path / "a")).report().left_out == {packed: 1}
    table(tmp_path / "b" / "a.parquet", rows(1))
    put(tmp_path / "b", {"b.parquet.zst": b"1", "._a.parquet": b"2"})
    assert source(str(tmp_path / "b")).report().left_out == {packed: 1, "hidden files": 1}
    assert source(str(tmp_path / "a" / "pairs.csv")).report().left_out == {}


def test_splits_of_other_names_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    original, modified = sound()
    row = {"original": cell(original), "modified": cell(modified)}
    for number in (0, 1, 10):
        table(tmp_path / "files" / f"data/FreeForm_{number}-00000-of-00001.parquet", [row])
    made = source(str(tmp_path / "files"), split="FreeForm_1")
    assert set(pairs_of(made)) == {"data/FreeForm_1-00000-of-00001.parquet:0"}
    assert made.report().left_out == {"files of other splits": 2}
    assert len(source(str(tmp_path / "files"))) == 3
    marked = [{**row, "split": split} for split in ("train", "Gold", "silver", None)]
    for split, number in (("gold", 1), ("silver", 2), ("train", 0)):
        made = source(table(tmp_path / "rows" / "all.parquet", marked), split=split)
        assert set(pairs_of(made)) == {f"all.parquet:{number}"}
        assert made.report().left_out == {"rows of other splits": 3}
    images = folder(tmp_path / "images", {"gold/1": sound(), "silver/1": sound(1), "2": sound(2)})
    assert set(pairs_of(source(images, split="gold"))) == {"gold/1"}
    for location in (str(tmp_path / "files"), images):
        with pytest.raises(PairsError, match="no split trian: leave split out"):
            source(location, split="trian")
    with pytest.raises(PairsError, match="no split bronze, but train: set split to one of them"):
        source(str(tmp_path / "rows"), split="bronze")


def test_values_that_python_cannot_hold_and_columns_of_one_name_are_one_line(tmp_path: Path) -> None:
    original, modified = sound()
    far = pa.array([2**60, 5], pa.timestamp("s"))
    for name, found in (
        ("far", pa.table({"before": [original] * 2, "after": [modified] * 2, "session_id": far})),
        ("twice", pa.table([[original], [modified], [modified]], names=["before", "after", "after"])),
    ):
        with pa.ipc.new_file(str(tmp_path / f"{name}.arrow"), found.schema) as file:
            file.write_table(found)
    made = source(str(tmp_path / "far.arrow"))
    with pytest.raises(PairsError, match=r"far\.arrow: row 0 cannot be read \("):
        made._index._rows.row(0, ["session_id"])
    twice = source(str(tmp_path / "twice.arrow"))
    assert pairs_of(twice) == {}
    assert "row 0 cannot be read" in twice.problems["twice.arrow:0"]
