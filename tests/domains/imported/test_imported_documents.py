"""The ways in which people and published data sets write tables of pairs: text, cells, columns, splits."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.feather
import pytest

from tests.data.odd_images import encoded, scenery
from tests.domains.imported.samples import assert_sound, cell, mask, pairs_of, put, table, tar
from tests.domains.imported.test_imported_files import changed, folder, sound, source
from vision_zero.data.image_pair import ImagePair
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


def rows(count: int = 2) -> list[dict[str, Any]]:
    return [{"original": f"images/{number}_a.png", "modified": f"images/{number}_b.png", "edit": "so"} for number in range(count)]


def beside(root: Path, count: int = 2) -> None:
    for number in range(count):
        put(root, dict(zip((f"images/{number}_a.png", f"images/{number}_b.png"), sound(number), strict=True)))


def as_csv(found: list[dict[str, Any]], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


DOCUMENTS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "edits.json": json.dumps,
    "by-id.json": lambda found: json.dumps({str(number): row for number, row in enumerate(found)}),
    "under-a-key.json": lambda found: json.dumps({"version": 1, "data": found}),
    "columns.json": lambda found: json.dumps({name: [row[name] for row in found] for name in found[0]}),
    "pandas.json": lambda found: json.dumps({name: {str(n): row[name] for n, row in enumerate(found)} for name in found[0]}),
    "splits.json": lambda found: json.dumps({"test": [{"original": "x", "modified": "y"}], "train": found}),
    "edits.csv": lambda found: as_csv(found, ","),
    "semicolons.csv": lambda found: "\ufeff" + as_csv(found, ";"),
    "edits.tsv": lambda found: as_csv(found, "\t"),
    "edits.jsonl": lambda found: "\r\n".join(map(json.dumps, found)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DOCUMENTS)
def test_tables_of_text_are_read(name: str, tmp_path: Path) -> None:
    beside(tmp_path)
    (tmp_path / name).write_text(DOCUMENTS[name](rows()), newline="")
    pairs = pairs_of(source(str(tmp_path / name)))
    assert set(pairs) == {f"{name}:{number}" for number in (range(1, 3) if name == "splits.json" else range(2))}
    for number, pair in enumerate(pairs.values()):
        assert_sound(pair, number)
        assert pair.modified_facts["change"] == "so"


def test_json_beside_pairs_of_files_does_not_hide_them(tmp_path: Path) -> None:
    root = folder(tmp_path, {"1": sound()})
    (tmp_path / "info.json").write_text('{"made": "yesterday"}')
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert set(pairs_of(source(root))) == {"1"}


def test_a_table_beside_pairs_of_files_says_how_to_read_those(tmp_path: Path) -> None:
    root = folder(tmp_path, {"1": sound(), "2": sound(2)})
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "1_original.png", "text": "hello"}')
    with pytest.raises(PairsError, match="set layout: files, for its files make 2 pairs"):
        source(root)
    assert len(source(root, layout="files")) == 2


def test_a_csv_file_of_something_else_beside_the_pairs_is_left_out(tmp_path: Path) -> None:
    beside(tmp_path)
    (tmp_path / "pairs.csv").write_text(as_csv(rows(), ","))
    (tmp_path / "labels.csv").write_text("file,label\nimages/0_a.png,cat\n")
    made = source(str(tmp_path), layout="table")
    assert set(pairs_of(made)) == {"pairs.csv:0", "pairs.csv:1"}
    assert made.report().left_out == {"JSON and CSV files of other columns": 1}
    (tmp_path / "pairs.csv").write_text("a,b\nimages/0_a.png,images/0_b.png\n")
    assert set(pairs_of(source(str(tmp_path), layout="table", original_column="a", modified_column="b"))) == {"pairs.csv:0"}
    (tmp_path / "pairs.csv").write_text("words,number\nso,1\n")
    with pytest.raises(
        PairsError, match=r"no column in common: give one .* labels\.csv has file, label; pairs\.csv has words, number"
    ):
        source(str(tmp_path), layout="table")


def test_a_csv_file_that_is_faulty_says_where_and_what(tmp_path: Path) -> None:
    beside(tmp_path)
    file = tmp_path / "pairs.csv"
    file.write_text('original,modified,edit\nimages/0_a.png,images/0_b.png,"say "so" now"\n')
    with pytest.raises(PairsError, match=r"pairs\.csv: not a readable CSV file \(line 2: ',' expected after '\"'\)"):
        source(str(file))
    file.write_text("images/0_a.png,images/0_b.png\nimages/1_a.png,images/1_b.png\n")
    with pytest.raises(PairsError, match=r"to two of images/0_a\.png, images/0_b\.png; the first line must name the columns"):
        source(str(file))


def test_rows_that_are_no_objects_are_skipped_and_of_no_other_split(tmp_path: Path) -> None:
    beside(tmp_path)
    file = tmp_path / "pairs.json"
    for text in (
        json.dumps({"train": [rows()[0], ["images/1_a.png", "images/1_b.png"]], "test": [rows()[1]]}),
        "\n".join((json.dumps(rows()[0] | {"split": "train"}), "{broken", json.dumps(rows()[1] | {"split": "test"}))),
    ):
        file.write_text(text)
        made = source(str(file))
        assert len(pairs_of(made)) == 1
        report = made.report()
        assert (report.found, report.failures, report.left_out) == (2, 1, {"rows of other splits": 1})
        assert "is no JSON" in next(iter(report.skipped.values()))


def test_json_and_csv_beside_other_files_of_rows_are_counted(tmp_path: Path) -> None:
    beside(tmp_path)
    table(tmp_path / "a.parquet", rows(1))
    put(tmp_path, {"b.csv": as_csv(rows(), ",").encode(), "dataset_infos.json": b"{}"})
    made = source(str(tmp_path))
    assert set(pairs_of(made)) == {"a.parquet:0"}
    assert made.report().left_out == {"JSON and CSV files beside those of a data set": 1}


def test_an_empty_cell_is_called_so(tmp_path: Path) -> None:
    put(tmp_path, {"pairs.csv": b"original,modified,number\n, ,7\n"})
    assert source(str(tmp_path)).check() == {"pairs.csv:0": "column original is empty"}


def test_files_that_may_be_in_unread_archives_say_so(tmp_path: Path) -> None:
    put(tmp_path, {"pairs.csv": as_csv(rows(), ",").encode(), "images.zip": b"PK", "images.tar": b"no archive" * 200})
    made = source(str(tmp_path))
    assert made.check()["pairs.csv:0"].startswith(
        f"images/0_a.png: no such file in {tmp_path} (1 compressed files, which are not read: unpack them, or make plain .tar "
        "archives; images.tar: not a readable tar archive (invalid header)); pairs.imported.pictures may say where"
    )
    assert [len(names) for names in made.report().reasons().values()] == [2]


@pytest.mark.parametrize("name", ["pairs.zip", "pairs.tar.gz", "pairs.jsonl.gz"])
def test_a_compressed_file_says_what_to_do(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(
        PairsError, match=r"is one of the compressed files, which are not read: unpack it, or make a plain \.tar archive"
    ):
        source(str(tmp_path / name))


def test_text_between_unusual_separators_stays_in_its_line(tmp_path: Path) -> None:
    beside(tmp_path, 3)
    texts = ["one\u2028two", "one\x85two", "one\x0btwo\x1c"]
    lines = [json.dumps({**row, "edit": text}, ensure_ascii=False) for row, text in zip(rows(3), texts, strict=True)]
    (tmp_path / "edits.jsonl").write_text("\n".join(lines), encoding="utf-8")
    pairs = pairs_of(source(str(tmp_path)))
    assert [pair.modified_facts["change"] for pair in pairs.values()] == ["one two"] * 3


def test_halves_of_characters_can_be_stored(tmp_path: Path) -> None:
    from vision_zero.data.table import PairTable

    beside(tmp_path, 2)
    texts = ["broken \\ud83d here", "whole \\ud83d\\ude00"]
    lines = [json.dumps({**row, "edit": "X"}).replace("X", text) for row, text in zip(rows(2), texts, strict=True)]
    (tmp_path / "edits.jsonl").write_text("\n".join(lines) + '\n{"original": "\\udc00.png", "modified": 1e400}')
    made = source(str(tmp_path))
    pairs = list(made.each(Seed(0)))
    assert [pair.modified_facts["change"] for pair in pairs] == ["broken \ufffd here", "whole \U0001f600"]
    PairTable(PairTable.from_pairs(enumerate(pairs), "train").rows, (made.report(),)).write(tmp_path / "pairs.parquet")
    (report,) = PairTable.read(tmp_path / "pairs.parquet").reports
    assert "\ufffd.png: no such file" in report.skipped["edits.jsonl:2"]


def test_base64_fits_into_csv(tmp_path: Path) -> None:
    original, modified = encoded(scenery(400, 300), "BMP"), encoded(changed(scenery(400, 300)), "BMP")
    found = [{"before": base64.b64encode(original).decode(), "after": base64.b64encode(modified).decode()}]
    (tmp_path / "a.csv").write_text(as_csv(found, ","))
    (pair,) = pairs_of(source(str(tmp_path))).values()
    assert_sound_size(pair, (400, 300))


def assert_sound_size(pair: ImagePair, size: tuple[int, int]) -> None:
    assert pair.original.tobytes() == scenery(*size).tobytes()
    assert pair.modified.tobytes() == changed(scenery(*size)).tobytes()


def test_one_column_may_hold_both_images(tmp_path: Path) -> None:
    original, modified = sound()
    found: list[dict[str, Any]] = [{"images": [cell(original), cell(modified)], "prompt": "so"}, {"images": [cell(original)]}]
    made = source(table(tmp_path / "a.parquet", found))
    assert_sound(pairs_of(made)["a.parquet:0"])
    assert made.report().skipped == {"a.parquet:1": "column images holds 1 images where two are needed"}
    named = source(str(tmp_path), original_column="images", modified_column="images")
    assert_sound(pairs_of(named)["a.parquet:0"])


def test_columns_of_text_beside_images_are_not_taken_for_them(tmp_path: Path) -> None:
    original, modified = sound()
    row = {
        "original": "a grey scene",
        "modified": "a yellow box",
        "original_image": cell(original),
        "modified_image": cell(modified),
        "input": "a grey scene",
        "output": "with a box",
    }
    assert_sound(pairs_of(source(table(tmp_path / "a.parquet", [row])))["a.parquet:0"])


@pytest.mark.parametrize("names", [("edited_image", "source_image", "target_image"), ("before", "original", "edited")])
def test_a_mask_is_no_edit(names: tuple[str, str, str], tmp_path: Path) -> None:
    original, modified = sound()
    found = [dict(zip(names, (cell(encoded(mask(), "JPEG", quality=60)), cell(original), cell(modified)), strict=True))] * 2
    root = table(tmp_path / "a.parquet", found)
    assert_sound(pairs_of(source(root))["a.parquet:0"])
    wrong = source(root, original_column=names[1], modified_column=names[0])
    assert pairs_of(wrong) == {}
    assert all("two values only: a mask is no edit" in reason for reason in wrong.problems.values())


def test_every_prompt_of_a_list_is_kept(tmp_path: Path) -> None:
    original, modified = sound()
    prompts = ["Remove the dog", "Take the dog away from the lawn", "Remove the dog"]
    row = {"omni_edit_id": "1", "src_img": cell(original), "edited_img": cell(modified), "edited_prompt_list": prompts}
    pair = pairs_of(source(table(tmp_path / "data" / "train-00000-of-00001.parquet", [row])))
    (found,) = pair.values()
    assert found.modified_facts["change"] == "Remove the dog; Take the dog away from the lawn"


def test_imgedit_with_a_folder_beside_and_with_two_inputs(tmp_path: Path) -> None:
    put(tmp_path / "Singleturn", dict(zip(("results/0/x_original.png", "results/0/x_result.png"), sound(), strict=True)))
    found = [
        {"input_images": ["results/0/x_original.png"], "output_images": ["results/0/x_result.png"], "prompt": "so"},
        {"input_images": ["results/0/x_original.png"] * 2, "output_images": ["results/0/x_result.png"], "prompt": "both"},
    ]
    root = table(tmp_path / "Parquet" / "remove_part5.parquet", found)
    lost = source(root)
    assert pairs_of(lost) == {}
    assert "pairs.imported.pictures may say where" in lost.problems["remove_part5.parquet:0"]
    made = source(root, pictures=str(tmp_path / "Singleturn"))
    assert_sound(pairs_of(made)["remove_part5.parquet:0"])
    assert made.problems == {"remove_part5.parquet:1": "column input_images holds 2 images where one is needed"}


def test_cells_may_name_files_in_archives_and_by_paths_of_other_machines(tmp_path: Path) -> None:
    tar(tmp_path / "part5.tar", dict(zip(("results/0/a.png", "results/0/b.png"), sound(), strict=True)))
    put(tmp_path, {"242/242-input.png": sound(1)[0], "242/242-output1.png": sound(1)[1], "x/0.png": b"", "y/0.png": b""})
    found = [
        {"input": "results/0/a.png", "output": "results/0/b.png"},
        {"input": "242-input.png", "output": "242-output1.png"},
        {"input": "C:\\sets\\242-input.png", "output": "242\\242-output1.png"},
        {"input": "/mnt/data/242/242-input.png", "output": "/mnt/data/242/242-output1.png"},
        {"input": "../../etc/passwd", "output": "x/0.png"},
        {"input": "0.png", "output": "242-output1.png"},
        {"input": "https://example.org/a.png", "output": "x/0.png"},
    ]
    (tmp_path / "edits.json").write_text(json.dumps(found))
    made = source(str(tmp_path / "edits.json"))
    pairs = pairs_of(made)
    assert set(pairs) == {f"edits.json:{number}" for number in (0, 1, 3)}
    assert_sound(pairs["edits.json:0"])
    assert_sound(pairs["edits.json:3"], 1)
    assert "2 files in" in made.problems["edits.json:5"]
    assert "not fetched from the web" in made.problems["edits.json:6"]


def saved(path: Path, count: int = 4, seed: int = 0) -> datasets.Dataset:
    features = datasets.Features({"before": datasets.Image(), "after": datasets.Image()})
    scenes = [scenery(seed=seed + number) for number in range(count)]
    made = datasets.Dataset.from_dict({"before": scenes, "after": [changed(scene) for scene in scenes]}, features=features)
    if path.name:
        made.save_to_disk(str(path))
    return made


def test_caches_beside_a_saved_data_set_are_no_rows(tmp_path: Path) -> None:
    saved(tmp_path / "saved")
    opened = datasets.load_from_disk(str(tmp_path / "saved"))
    opened.rename_columns({"before": "after", "after": "before"}).map(
        lambda row: row, cache_file_name=str(tmp_path / "saved" / "cache-0123456789abcdef.arrow")
    )
    made = source(str(tmp_path / "saved"))
    assert len(made) == 4
    for pair in made.each(Seed(0)):
        assert [change.box for change in pair.changes] == [(20, 30, 60, 50)]
        assert pair.modified.getpixel((30, 40)) == (250, 240, 20)
    assert made.report().left_out == {"cache files of datasets": 1}


def test_the_test_rows_of_a_data_set_are_not_read_as_training(tmp_path: Path) -> None:
    both = datasets.DatasetDict({"train": saved(Path(), 3), "test": saved(Path(), 2, seed=50)})
    both.save_to_disk(str(tmp_path / "saved"))
    made = source(str(tmp_path / "saved"))
    assert {pair.original.tobytes() for pair in made.each(Seed(0))} == {scenery(seed=number).tobytes() for number in range(3)}
    assert made.report().left_out == {"files of split test": 1}
    assert len(source(str(tmp_path / "saved"), split="test")) == 2
    assert len(source(str(tmp_path / "saved"), split=None)) == 5
    with pytest.raises(PairsError, match="has no split val, but test, train: set split to one of them"):
        source(str(tmp_path / "saved"), split="val")


def test_splits_are_told_by_the_names_of_files_folders_and_rows(tmp_path: Path) -> None:
    original, modified = sound()
    row = {"original": cell(original), "modified": cell(modified)}
    for name in ("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/dev-00000-of-00001.parquet"):
        table(tmp_path / "hub" / name, [row])
    assert len(source(str(tmp_path / "hub"))) == 2
    assert len(source(str(tmp_path / "hub"), split="validation")) == 1
    marked = [{**row, "split": split} for split in ("train", "test", "train", "valid")]
    made = source(table(tmp_path / "rows" / "all.parquet", marked))
    assert [made.sample(Seed(place)).original_facts["id"] for place in range(9)].count("all.parquet:1") == 0
    assert (len(made), made.report().left_out) == (2, {"rows of other splits": 2})
    files = source(folder(tmp_path / "files", {"train/1": sound(), "test/1": sound(1), "train/train": sound(2)}))
    assert set(pairs_of(files)) == {"train/1", "train/train"}
    (tmp_path / "only").mkdir()
    with pytest.raises(PairsError, match="has no split train, but test"):
        source(table(tmp_path / "only" / "test.parquet", [row]))
    assert len(source(str(tmp_path / "only" / "test.parquet"))) == 1


@pytest.mark.parametrize("name", ["a.arrow", "a.feather"])
def test_arrow_files_are_read_like_streams(name: str, tmp_path: Path) -> None:
    original, modified = sound()
    pyarrow.feather.write_feather(
        pa.Table.from_pylist([{"original": original, "modified": modified}]), tmp_path / name, compression="lz4"
    )
    assert_sound(pairs_of(source(str(tmp_path)))[f"{name}:0"])
