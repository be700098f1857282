"""Data sets with two columns of images: parquet, arrow, JSON lines; and what is wrong with some."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.odd_images import BROKEN, encoded, scenery
from tests.domains.imported.samples import cell, pairs_of, table
from tests.domains.imported.test_imported_files import changed, folder, sound, source
from tests.make import scene_pairs
from vision_zero.data.remote_storage import Storage
from vision_zero.data.row_files import Rows
from vision_zero.data.table import PairTable
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


def cells(seed: int) -> dict[str, Any]:
    original, modified = sound(seed)
    return {"original": cell(original), "modified": cell(modified)}


def test_our_own_tables_can_be_imported(tmp_path: Path) -> None:
    pairs = scene_pairs(3)
    PairTable.from_pairs(enumerate(pairs), "train").write(tmp_path / "pairs.parquet")
    made = source(str(tmp_path / "pairs.parquet"))
    originals = {pair.original.tobytes() for pair in pairs}
    assert {made.sample(Seed(place)).original.tobytes() for place in range(20)} == originals


def test_rows_are_found_in_every_file_and_group(tmp_path: Path) -> None:
    numbers = iter(range(100))
    for name, count in (("a", 5), ("b", 1), ("c", 4)):
        table(tmp_path / f"{name}.parquet", [{**cells(0), "prompt": f"change {next(numbers)}"} for _ in range(count)])
    rows = Rows(Storage(str(tmp_path), source(str(tmp_path)).config.storage), None, bool)
    assert len(rows) == 10
    assert [rows.row(place, ["prompt"])["prompt"] for place in range(10)] == [f"change {number}" for number in range(10)]
    assert [rows.name(place) for place in (0, 4, 5, 6, 9)] == [
        "a.parquet:0",
        "a.parquet:4",
        "b.parquet:0",
        "c.parquet:0",
        "c.parquet:3",
    ]


def test_the_layout_of_imgedit_is_read(tmp_path: Path) -> None:
    folder(tmp_path / "results" / "0", {"x": sound()})
    row = {
        "input_images": ["results/0/x_original.png"],
        "output_images": ["results/0/x_modified.png"],
        "prompt": "Remove the\n dog",
    }
    pair = source(table(tmp_path / "remove_part5.parquet", [row])).sample(Seed(1))
    assert pair.modified.tobytes() == changed(scenery()).tobytes()
    assert pair.changes[0].after == "something else, as told: Remove the dog"
    assert pair.modified_facts["change"] == "Remove the dog"


def test_json_lines_name_files_beside_them(tmp_path: Path) -> None:
    folder(tmp_path / "sub" / "images", {"x": sound()})
    lines = [
        {"src": "images/x_original.png", "dst": "images/x_modified.png"},
        {"src": "images/none.png", "dst": "images/x_modified.png"},
    ]
    path = tmp_path / "sub" / "edits.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n{\n[1]\n")
    for location in (str(path), str(tmp_path)):
        made = source(location, original_column="src", modified_column="dst", layout="table")
        assert made.sample(Seed(2)).original.tobytes() == scenery().tobytes()
        problems = made.check()
        assert len(problems) == 3
        assert any("no such file" in reason for reason in problems.values())
        assert any("line 4 is no JSON (" in reason for reason in problems.values())
        assert any("line 5 is no JSON object" in reason for reason in problems.values())


def test_data_sets_that_were_saved_to_disk_are_read(tmp_path: Path) -> None:
    features = datasets.Features({"before": datasets.Image(), "after": datasets.Image()})
    scene = scenery()
    saved = datasets.Dataset.from_dict({"before": [scene] * 3, "after": [changed(scene)] * 3}, features=features)
    saved.save_to_disk(str(tmp_path / "saved"))
    pair = source(str(tmp_path / "saved")).sample(Seed(1))
    assert pair.modified.tobytes() == changed(scene).tobytes()


def test_bad_rows_are_skipped(tmp_path: Path) -> None:
    good = cells(0)
    rows = [
        good,
        {**good, "modified": None},
        {**good, "modified": {"bytes": BROKEN["cut short"], "path": None}},
        {**good, "modified": {"bytes": b"", "path": None}},
        {**good, "modified": {"bytes": BROKEN["bomb"], "path": None}},
        {**good, "modified": {"bytes": encoded(scenery(40, 30)), "path": None}},
        {**good, "modified": good["original"]},
        {**good, "modified": {"bytes": None, "path": "elsewhere.png"}},
    ]
    made = source(table(tmp_path / "a.parquet", rows))
    assert {made.sample(Seed(place)).original_facts["id"] for place in range(10)} == {"a.parquet:0"}
    problems = made.check()
    assert set(problems) == {f"a.parquet:{number}" for number in range(1, 8)}
    assert "is empty" in problems["a.parquet:1"]
    assert "no such file" in problems["a.parquet:7"]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"no parquet at all, but long enough to be one", b"PAR1" + bytes(200) + b"PAR1"])
def test_unreadable_parquet_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.parquet").write_bytes(data)
    with pytest.raises(PairsError, match=r"bad\.parquet: not a readable parquet file") as raised:
        source(str(tmp_path))
    assert "\n" not in str(raised.value)


def test_parquet_that_is_damaged_inside_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table(path, [cells(number) for number in range(6)], group=1)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle - 3000 : middle + 3000] = bytes(6000)
    path.write_bytes(bytes(data))
    made = source(str(tmp_path))
    problems = made.check()
    assert 1 <= len(problems) < 6
    assert made.sample(Seed(1)).original_facts["id"] not in problems


@pytest.mark.parametrize(
    ("name", "data"), [("bad.arrow", b"nothing"), ("bad.arrow", b""), ("bad.jsonl", b"\xff\xfe{"), ("bad.jsonl", b"{")]
)
def test_other_unreadable_files_are_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PairsError, match=f"{name}: not a") as raised:
        source(str(tmp_path))
    assert "\n" not in str(raised.value)


def test_wrong_columns_are_named(tmp_path: Path) -> None:
    root = table(tmp_path / "a.parquet", [{"picture": b"x", "label": 3}])
    with pytest.raises(PairsError, match="set original_column and modified_column to two of picture, label"):
        source(root)
    with pytest.raises(PairsError, match="has no column left, right, but picture, label"):
        source(root, original_column="left", modified_column="right")
    with pytest.raises(PairsError, match="has no column words, but picture, label"):
        source(root, original_column="picture", modified_column="label", change_column="words")
    with pytest.raises(PairsError, match="column label holds no image but int"):
        source(root, original_column="picture", modified_column="label").sample(Seed(1))


def test_empty_data_sets_are_refused(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"original": pa.array([], pa.binary()), "modified": pa.array([], pa.binary())}), tmp_path / "a.parquet"
    )
    with pytest.raises(PairsError, match="has no rows"):
        source(str(tmp_path))
    with pytest.raises(PairsError, match=r"holds no \.parquet, \.arrow, \.jsonl file"):
        source(folder(tmp_path / "files", {"1": sound()}), layout="table")


def test_columns_of_several_files_must_be_shared(tmp_path: Path) -> None:
    table(tmp_path / "a.parquet", [cells(0)])
    table(tmp_path / "b.parquet", [{"original": cells(0)["original"]}])
    with pytest.raises(PairsError, match="no two columns"):
        source(str(tmp_path))


def test_files_that_differ_are_named_where_no_columns_fit(tmp_path: Path) -> None:
    table(tmp_path / "a.parquet", [{"number": 1, **cells(0)}])
    table(tmp_path / "b.parquet", [{"number": 2, "before": cell(b"x"), "after": cell(b"x")}])
    told = r"number \(in every file; a\.parquet has number, original, modified; b\.parquet has number, before, after: give one of"
    with pytest.raises(PairsError, match=f"two of {told}"):
        source(str(tmp_path))
    with pytest.raises(PairsError, match=f"has no column original, modified, but {told}"):
        source(str(tmp_path), original_column="original", modified_column="modified")


def test_words_groups_and_splits_that_some_files_have_are_read(tmp_path: Path) -> None:
    table(tmp_path / "a.parquet", [{**cells(0), "prompt": "so", "split": split} for split in ("train", "test")])
    table(tmp_path / "b.parquet", [{**cells(1), "instruction": "otherwise", "img_id": number} for number in (7, 8)])
    table(tmp_path / "c.parquet", [cells(2)])
    made = source(str(tmp_path))
    told = {name: pair.modified_facts["change"] for name, pair in pairs_of(made).items()}
    both = {"b.parquet:0": "otherwise", "b.parquet:1": "otherwise"}
    assert told == {"a.parquet:0": "so", **both, "c.parquet:0": ""}
    assert made.report().left_out == {"rows of other splits": 1}
    assert [made._index.group(place) for place in range(4)] == [None, "7", "8", None]
    named = source(str(tmp_path), change_column="prompt", split="test")
    assert [pair.modified_facts["change"] for pair in pairs_of(named).values()] == ["so", "", "", ""]


def test_rows_in_order_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = table(tmp_path / "a.parquet", [{"original": number, "modified": str(number)} for number in range(300)], group=300)
    decoded = []
    batches = pq.ParquetFile.iter_batches

    def counted(file: pq.ParquetFile, **given: Any) -> Any:
        for batch in batches(file, **given):
            decoded.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    rows = Rows(Storage(root, source(root).config.storage), None, bool)
    decoded.clear()
    names = [["original"], ["modified", "original"]]
    found = [[rows.row(place, columns)["original"] for columns in names] for place in (*range(300), 5, 4, 299)]
    assert found == [[place, place] for place in (*range(300), 5, 4, 299)]
    assert sum(decoded) == 2 * (300 + 300), "once in order, and once more for the row that lay before"
