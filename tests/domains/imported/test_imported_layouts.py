"""The ways in which people and published data sets lay out pairs: names, folders, archives, tables, cells."""

from __future__ import annotations

import base64
import csv
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.data.odd_images import encoded, scenery
from tests.domains.imported.test_imported_files import changed, folder, sound, source
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


def put(root: Path, files: Mapping[str, bytes]) -> str:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(root)


def pairs_of(made: ImportedSource) -> dict[str, ImagePair]:
    """All usable pairs by id."""
    return {str(pair.original_facts["id"]): pair for pair in made.each(Seed(0))}


def mask(width: int = 160, height: int = 120) -> Image.Image:
    image = Image.new("L", (width, height), 0)
    image.paste(255, (20, 30, 60, 50))
    return image


def assert_sound(pair: ImagePair, seed: int = 0) -> None:
    """The pair that ``sound(seed)`` encodes, the right way round."""
    assert pair.original.tobytes() == scenery(seed=seed).tobytes()
    assert pair.modified.tobytes() == changed(scenery(seed=seed)).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "pair_id"),
    [
        (("7_original.png", "7_modified.png"), "7"),
        (("7_before.png", "7_after.png"), "7"),
        (("7-input.png", "7-output1.png"), "7"),
        (("7.input.png", "7.edited.png"), "7"),
        (("7_source.jpeg", "7_target.png"), "7"),
        (("7_original", "7_modified"), "7"),
        (("v1.2_original", "v1.2_modified"), "v1.2"),
        (("7_original.jfif", "7_modified.JPE"), "7"),
        (("input/7.png", "output/7.png"), "7"),
        (("set/A/7.png", "set/B/7.jpg"), "set/7"),
        (("before/x/7.png", "after/x/7.png"), "x/7"),
        (("original_images/7.png", "edited_images/7.png"), "7"),
        (("images/CLEVR_default_000007.png", "sc_images/CLEVR_semantic_000007.png"), "000007"),
        (("0000007/3131_0.jpg", "0000007/3131_1.jpg"), "0000007/3131"),
        (("resized_images/7.png", "resized_images/7_2.png"), "resized_images/7"),
        (("7_a.png", "7_b.png"), "7"),
        (("before_7.png", "after_7.jpg"), "7"),
        (("set/original-7.png", "set/edited-7.png"), "set/7"),
        (("7/before.png", "7/after.png"), "7"),
        (("x/7/source_image.png", "x/7/target_image.png"), "x/7"),
        (("7/A.png", "7/B.png"), "7"),
        (("original.png", "modified.png"), "original.png"),
        (("IMG 7 (before).png", "IMG 7 (after).png"), "IMG 7"),
        (("7before.png", "7after.png"), "7"),
        (("sceneBefore.png", "sceneAfter.png"), "scene"),
        (("7_before_edit.png", "7_after_edit.png"), "7"),
        (("7_pre_disaster.png", "7_post_disaster.png"), "7"),
        (("before/7_before.png", "after/7_after.png"), "7"),
        (("scene_before/7.png", "scene_after/7.png"), "scene_7"),
        (("original photos/7.png", "edited photos/7.png"), "7"),
        (("src_img/7.png", "edited_img/7.png"), "7"),
        (("T1/7.png", "T2/7.png"), "7"),
        (("a\nb_original.png", "a\nb_modified.png"), "a\nb"),
    ],
)
def test_pairs_are_found_by_the_names_that_people_give(names: tuple[str, str], pair_id: str, tmp_path: Path) -> None:
    made = source(put(tmp_path, dict(zip(names, sound(), strict=True))))
    pairs = pairs_of(made)
    assert set(pairs) == {pair_id}
    assert_sound(pairs[pair_id])
    assert made.report().skipped == {}


def test_ways_of_naming_may_be_mixed_and_other_pictures_are_counted(tmp_path: Path) -> None:
    original, modified = sound()
    root = put(
        tmp_path,
        {
            "1_original.png": original,
            "1_modified.png": modified,
            "2_before.png": original,
            "2_after.png": modified,
            "1_mask.png": encoded(mask()),
            "3_before.png": original,
            "._1_original.png": b"a Mac's own",
            "__MACOSX/1_modified.png": b"a Mac's own",
            "more.zip": b"PK",
        },
    )
    made = source(root)
    assert set(pairs_of(made)) == {"1", "2"}
    report = made.report()
    assert report.skipped == {"3": "it has no modified picture"}
    assert report.left_out["hidden files"] == 2
    assert report.left_out["pictures whose name fits no pair"] == 1
    assert any("compressed archives" in reason for reason in report.left_out)
    assert (report.files, report.found) == (9, 3)


def test_numbered_photos_are_no_pairs(tmp_path: Path) -> None:
    root = put(tmp_path, {f"IMG_{number}.png": sound(number)[0] for number in range(4)})
    with pytest.raises(PairsError, match=r"holds no pairs.*found: 4 files, 4 pictures whose name fits no pair"):
        source(root)


def test_words_beside_the_pictures_are_read(tmp_path: Path) -> None:
    original, modified = sound()
    files = {f"{name}_{side}.png": data for name in "abc" for side, data in (("before", original), ("after", modified))}
    files |= {"a.txt": b"Make it\nyellow", "b_prompt.txt": b"Paint it", "c.json": b'{"instruction": "Fill it"}'}
    assert {name: pair.modified_facts["change"] for name, pair in pairs_of(source(put(tmp_path, files))).items()} == {
        "a": "Make it yellow",
        "b": "Paint it",
        "c": "Fill it",
    }


def tar(path: Path, files: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def test_shards_of_webdataset_are_read(tmp_path: Path) -> None:
    for shard in range(2):
        files: dict[str, bytes] = {}
        for number in (0, 1):
            original, modified = sound(2 * shard + number)
            files |= {f"{number:06d}.input.jpg": original, f"{number:06d}.output.jpg": modified}
            files[f"{number:06d}.json"] = json.dumps({"edit": f"change {number}"}).encode()
        tar(tmp_path / f"shard-{shard:05d}.tar", files)
    pairs = pairs_of(source(str(tmp_path)))
    assert set(pairs) == {f"shard-{shard:05d}.tar/{number:06d}" for shard in (0, 1) for number in (0, 1)}
    assert_sound(pairs["shard-00001.tar/000001"], 3)
    assert pairs["shard-00001.tar/000001"].modified_facts["change"] == "change 1"
    assert len(source(str(tmp_path / "shard-00000.tar"))) == 2


def test_an_archive_that_is_cut_short_is_named(tmp_path: Path) -> None:
    original, modified = sound()
    tar(tmp_path / "a.tar", {"1.original.png": original, "1.modified.png": modified})
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "b.tar").write_bytes(b"no archive" * 200)
    (tmp_path / "c.tar").write_bytes(whole[: len(original) + 600 + len(modified) // 2])
    report = source(str(tmp_path)).report()
    assert "not a readable tar archive" in report.skipped["b.tar"]
    assert len(report.skipped) == 2


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


@pytest.mark.parametrize(
    "cell",
    [
        lambda data: base64.b64encode(data).decode(),
        lambda data: "data:image/png;base64," + base64.b64encode(data).decode(),
        lambda data: {"bytes": base64.b64encode(data).decode()},
        lambda data: [base64.urlsafe_b64encode(data).decode()],
    ],
    ids=["plain", "data URI", "in bytes", "list"],
)
def test_base64_cells_are_pictures(cell: Callable[[bytes], object], tmp_path: Path) -> None:
    original, modified = sound()
    (tmp_path / "a.jsonl").write_text(json.dumps({"input_image": cell(original), "output_image": cell(modified)}))
    (pair,) = pairs_of(source(str(tmp_path))).values()
    assert_sound(pair)


def test_base64_fits_into_csv(tmp_path: Path) -> None:
    original, modified = encoded(scenery(400, 300), "BMP"), encoded(changed(scenery(400, 300)), "BMP")
    found = [{"before": base64.b64encode(original).decode(), "after": base64.b64encode(modified).decode()}]
    (tmp_path / "a.csv").write_text(as_csv(found, ","))
    (pair,) = pairs_of(source(str(tmp_path))).values()
    assert_sound_size(pair, (400, 300))


def assert_sound_size(pair: ImagePair, size: tuple[int, int]) -> None:
    assert pair.original.tobytes() == scenery(*size).tobytes()
    assert pair.modified.tobytes() == changed(scenery(*size)).tobytes()


def table(path: Path, found: list[dict[str, Any]]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(found), path)
    return str(path.parent)


def cell(data: bytes) -> dict[str, Any]:
    return {"bytes": data, "path": None}


def test_one_column_may_hold_both_pictures(tmp_path: Path) -> None:
    original, modified = sound()
    found: list[dict[str, Any]] = [{"images": [cell(original), cell(modified)], "prompt": "so"}, {"images": [cell(original)]}]
    made = source(table(tmp_path / "a.parquet", found))
    assert_sound(pairs_of(made)["a.parquet:0"])
    assert made.report().skipped == {"a.parquet:1": "column images holds 1 pictures where two are needed"}
    named = source(str(tmp_path), original_column="images", modified_column="images")
    assert_sound(pairs_of(named)["a.parquet:0"])


def test_columns_of_text_beside_pictures_are_not_taken_for_them(tmp_path: Path) -> None:
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
    assert made.problems == {"remove_part5.parquet:1": "column input_images holds 2 pictures where one is needed"}


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


def test_a_local_path_may_hold_colons_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    root = tmp_path / "a::b" / "c:d"
    assert set(pairs_of(source(folder(root, {"1": sound()})))) == {"1"}
    (root / "1_original.png").rename(root / "\udcff_original.png")
    (root / "1_modified.png").rename(root / "\udcff_modified.png")
    (pair,) = source(str(root)).each(Seed(0))
    assert pair.original_facts["id"] == "\ufffd"
    assert pair.facts_json()[0].encode()


def test_sixteen_bits_are_scaled_alike_in_both_pictures(tmp_path: Path) -> None:
    values = np.asarray(scenery().convert("L")).astype(np.uint16) * 16
    brighter = values.copy()
    brighter[30:50, 20:60] = 65535
    root = put(
        tmp_path,
        {"1_original.png": encoded(Image.fromarray(values)), "1_modified.png": encoded(Image.fromarray(brighter))},
    )
    (pair,) = source(root).each(Seed(0))
    one, other = (np.asarray(image).astype(int) for image in (pair.original, pair.modified))
    assert abs(one[60:].mean() - values[60:].mean() / 257) < 1
    assert np.array_equal(one[60:], other[60:])
    assert pair.changes[0].box == (20, 30, 60, 50)
