"""The many forms of one table of pairs: how files are encoded, how cells name or hold images, which columns are meant."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageFilter

from tests.data.odd_images import encoded, scenery
from tests.domains.imported.samples import assert_sound, cell, mask, pairs_of, put, table
from tests.domains.imported.test_imported_files import changed, sound, source
from vision_zero.data.image_identity import look_alike
from vision_zero.errors import PairsError

ROW = {"input_image": "images/x.png", "output_image": "images/y.png", "prompt": "so"}


def beside(root: Path) -> None:
    put(root, dict(zip(("images/x.png", "images/y.png"), sound(), strict=True)))


FILES: dict[str, tuple[str, str]] = {
    "lines.json": (json.dumps(ROW) + "\n" + json.dumps(ROW), "utf-8"),
    "one-object.json": (json.dumps(ROW), "utf-8"),
    "list.jsonl": (json.dumps([ROW], indent=1), "utf-8"),
    "list-in-a-line.jsonl": (json.dumps([ROW]), "utf-8"),
    "windows.json": (json.dumps([ROW]), "utf-16"),
    "windows.csv": ("input_image,output_image,prompt\nimages/x.png,images/y.png,so\n", "utf-16"),
    "excel.csv": ("sep=;\ninput_image;output_image;prompt\nimages/x.png;images/y.png;so\n", "utf-8"),
    "spaces.csv": ('input_image, output_image, prompt\nimages/x.png, images/y.png, "so"\n', "utf-8"),
    "commas.csv": ('input_image;output_image;prompt;"x, y, z, or not"\nimages/x.png;images/y.png;so;1\n', "utf-8"),
    "list-in-a-cell.csv": ("images,prompt\n\"['images/x.png', 'images/y.png']\",so\n", "utf-8"),
    "prompts-in-a-cell.csv": ('before,after,prompts\nimages/x.png,images/y.png,"[""so"", ""so""]"\n', "utf-8"),
    "objects-in-cells.csv": ("before,after,edit\n\"{'bytes': None, 'path': 'images/x.png'}\",images/y.png,so\n", "utf-8"),
    "one-line-is-broken.jsonl": ('{"deep": ' + "[" * 100_000 + "\n" + json.dumps(ROW), "utf-8"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_table_is_read_as_it_was_saved(name: str, tmp_path: Path) -> None:
    text, encoding = FILES[name]
    beside(tmp_path)
    (tmp_path / name).write_bytes(text.encode(encoding))
    pairs = pairs_of(source(str(tmp_path)))
    assert pairs
    for pair in pairs.values():
        assert_sound(pair)
        assert pair.modified_facts["change"] == "so"


def test_a_file_in_another_encoding_says_how_to_save_it(tmp_path: Path) -> None:
    beside(tmp_path)
    (tmp_path / "a.csv").write_bytes("before,after,edit\nimages/x.png,images/y.png,größer\n".encode("cp1252"))
    with pytest.raises(PairsError, match=r"a\.csv: not a text in UTF-8, save it so"):
        source(str(tmp_path))


def test_a_file_without_rows_hides_no_others(tmp_path: Path) -> None:
    beside(tmp_path)
    put(tmp_path, {"a.jsonl": json.dumps(ROW).encode(), "b.jsonl": b""})
    made = source(str(tmp_path))
    assert set(pairs_of(made)) == {"a.jsonl:0"}
    assert made.report().left_out == {"files without rows": 1}


PATHS: dict[str, Callable[[str], str]] = {
    "address": lambda path: f"file:///data/{path}",
    "Windows": lambda path: "C:\\Users\\me\\" + path.replace("/", "\\"),
    "capitals": str.upper,
    "spaces": lambda path: f" {path} ",
    "without suffix": lambda path: path.removesuffix(".png"),
    "accents": lambda path: path.replace("images", "im\u00e4ges"),
    "from elsewhere": lambda path: f"../other/{path}",
}


@pytest.mark.slow
@pytest.mark.parametrize("form", PATHS)
def test_paths_of_other_machines_lead_to_files_here(form: str, tmp_path: Path) -> None:
    beside(tmp_path)
    if form == "accents":
        (tmp_path / "images").rename(tmp_path / "ima\u0308ges")
    row = {name: PATHS[form](ROW[name]) for name in ("input_image", "output_image")}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    (pair,) = pairs_of(source(str(tmp_path))).values()
    assert_sound(pair)


def test_a_file_of_another_kind_is_not_taken_for_the_named_one(tmp_path: Path) -> None:
    beside(tmp_path)
    (tmp_path / "a.jsonl").write_text(json.dumps({**ROW, "output_image": "images/y.jpg"}))
    made = source(str(tmp_path))
    assert pairs_of(made) == {}
    assert "images/y.jpg: no such file" in made.report().skipped["a.jsonl:0"]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


CELLS: dict[str, Callable[[bytes], object]] = {
    "plain": b64,
    "data URI": lambda data: "data:image/png;base64," + b64(data),
    "in bytes": lambda data: {"bytes": b64(data)},
    "list": lambda data: [base64.urlsafe_b64encode(data).decode()],
    "text of bytes": lambda data: str(base64.b64encode(data)),
    "lines": lambda data: base64.encodebytes(data).decode(),
    "without padding": lambda data: b64(data).rstrip("="),
    "in quotes": lambda data: f'"{b64(data)}"',
    "other marks": lambda data: "base64," + b64(data),
    "no type": lambda data: "data:application/octet-stream;base64," + b64(data),
    "object": lambda data: {"b64_json": b64(data)},
    "chat": lambda data: {"type": "image_url", "image_url": {"url": "data:image/png;base64," + b64(data)}},
    "numbers": list,
}


@pytest.mark.slow
@pytest.mark.parametrize("form", CELLS)
def test_images_in_cells_of_text(form: str, tmp_path: Path) -> None:
    row = {name: CELLS[form](data) for name, data in zip(("before", "after"), sound(), strict=True)}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    (pair,) = pairs_of(source(str(tmp_path))).values()
    assert_sound(pair)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "others"),
    [
        (("jpg_0", "jpg_1"), {}),
        (("local_input_image", "output_image"), {"open_image_input_url": "https://example.org/x"}),
        (("image_file", "edited_file"), {"input": "a dog", "output": "a cat"}),
        (("Image1", "Image2"), {}),
        (("originalImage", "editedImage"), {}),
        (("omni_src_img", "omni_edit_img"), {}),
        (("img_in", "img_out"), {"caption": "a dog"}),
        (("conditioning_image", "image"), {}),
        (("original_image", "generated_image"), {"input": "a dog", "result": "a cat"}),
        (("image_t0", "image_t1"), {}),
    ],
)
def test_columns_are_found_by_the_names_of_published_sets(names: tuple[str, str], others: dict[str, str], tmp_path: Path) -> None:
    root = table(tmp_path / "a.parquet", [{**others, **dict(zip(names, map(cell, sound()), strict=True)), "text": "so"}])
    (pair,) = pairs_of(source(root)).values()
    assert_sound(pair)
    assert pair.modified_facts["change"] == "so"


def test_the_path_of_an_edit_is_no_description_of_it(tmp_path: Path) -> None:
    beside(tmp_path)
    (tmp_path / "a.csv").write_text("orig,edit\nimages/x.png,images/y.png\n")
    (tmp_path / "b.csv").write_text("orig,edit,text\nimages/x.png,images/y.png,so\n")
    found = {name: pair.modified_facts["change"] for name, pair in pairs_of(source(str(tmp_path))).items()}
    assert found == {"a.csv:0": "", "b.csv:0": "so"}


def test_a_column_of_single_images_is_not_taken_for_one_of_both(tmp_path: Path) -> None:
    row = dict(zip(("image", "photo_2"), map(cell, sound()), strict=True))
    with pytest.raises(PairsError, match="set original_column and modified_column to two of image, photo_2"):
        source(table(tmp_path / "a.parquet", [row]))


def test_an_object_with_other_keys_than_names_holds_no_images(tmp_path: Path) -> None:
    beside(tmp_path)
    (tmp_path / "a.csv").write_text("images,before,after\n\"{1: 'images/x.png', 2: 'images/y.png'}\",images/x.png,images/y.png\n")
    (pair,) = pairs_of(source(str(tmp_path))).values()
    assert_sound(pair)


def test_one_column_may_hold_both_images_by_name(tmp_path: Path) -> None:
    original, modified = sound()
    root = table(tmp_path / "a.parquet", [{"pair": {"after": cell(modified), "before": cell(original)}}])
    (pair,) = pairs_of(source(root)).values()
    assert_sound(pair)


def maps() -> dict[str, Image.Image]:
    """Images of a mask's kind that have more than two values."""
    parts = Image.new("RGB", (160, 120), (10, 20, 200))
    for colour, box in (
        ((200, 30, 30), (20, 30, 60, 50)),
        ((30, 180, 30), (90, 30, 120, 80)),
        ((200, 200, 30), (0, 80, 160, 120)),
    ):
        parts.paste(colour, box)
    three = mask()
    three.paste(128, (90, 30, 120, 80))
    return {"soft": mask().filter(ImageFilter.GaussianBlur(6)), "three values": three, "segments": parts}


@pytest.mark.slow
@pytest.mark.parametrize("kind", maps())
def test_maps_that_are_called_edits_are_not_taken_for_them(kind: str, tmp_path: Path) -> None:
    original, modified = sound()
    row = {"image": cell(original), "edited_image": cell(encoded(maps()[kind])), "target": cell(modified)}
    (pair,) = pairs_of(source(table(tmp_path / "a.parquet", [row]))).values()
    assert_sound(pair)


def test_an_image_looks_like_its_edit_and_not_like_another() -> None:
    assert look_alike(scenery(), changed(scenery()))
    assert not look_alike(scenery(), Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)))
    assert not look_alike(scenery(), Image.new("RGB", (160, 120)))


def test_splits_named_in_folders_of_partitions(tmp_path: Path) -> None:
    original, modified = sound()
    for split in ("train", "test"):
        (tmp_path / f"split={split}").mkdir()
        pq.write_table(pa.table({"before": [original], "after": [modified]}), tmp_path / f"split={split}" / "a.parquet")
    assert set(pairs_of(source(str(tmp_path)))) == {"split=train/a.parquet:0"}


def test_links_in_archives_are_the_members_that_they_name(tmp_path: Path) -> None:
    original, modified = sound()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, data in (("0.original.png", original), ("0.modified.png", modified), ("1.modified.png", modified)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, kind, target in (
            ("1.original.png", tarfile.LNKTYPE, "0.original.png"),
            ("2.original.png", tarfile.SYMTYPE, "/elsewhere/0.png"),
        ):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, target
            archive.addfile(link)
    made = source(str(tmp_path))
    assert set(pairs_of(made)) == {"a.tar/0", "a.tar/1"}
    assert made.report().left_out == {"links of archives to no earlier member": 1}


@pytest.mark.parametrize(("column", "values"), [("Split", ("Training", "TEST")), ("subset", ("train", "dev"))])
def test_rows_of_other_splits_are_left_out_whatever_names_them(column: str, values: tuple[str, str], tmp_path: Path) -> None:
    original, modified = sound()
    rows = [{"before": original, "after": modified, column: value} for value in values]
    made = source(table(tmp_path / "a.parquet", rows))
    assert set(pairs_of(made)) == {"a.parquet:0"}
    assert made.report().left_out == {"rows of other splits": 1}


def test_rows_of_other_splits_alone_are_refused(tmp_path: Path) -> None:
    original, modified = sound()
    rows = [{"before": original, "after": modified, "split": value} for value in ("test", "val")]
    with pytest.raises(PairsError, match="are of no split train, but test, validation: set split to one of them"):
        source(table(tmp_path / "a.parquet", rows))
    assert len(source(str(tmp_path), split="validation")) == 1


def test_one_file_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    put(tmp_path, dict(zip(("1_before.png", "1_after.png"), sound(), strict=True)))
    with pytest.raises(PairsError, match="is one file and no data set: give the folder of the pairs"):
        source(str(tmp_path / "1_before.png"))


@pytest.mark.parametrize("location", ["a\0b", "zip://a::/nowhere/a.zip", "hf://datasets/", "~nobody-here/pairs"])
def test_addresses_that_are_none_are_refused_in_one_line(location: str) -> None:
    with pytest.raises(PairsError, match=r"cannot be (?:opened|read)|there is no such folder, bucket or file") as caught:
        source(location)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("['so', 'so']", "so"),
        ('["a", "b"]', "a; b"),
        ("{'to': 'red'}", "{'to': 'red'}"),
        ("[remove] it", "[remove] it"),
        ("{{1}}", "{{1}}"),
        ("{1: 'red'}", "{1: 'red'}"),
    ],
)
def test_a_text_that_is_a_list_is_its_texts_and_any_other_stays(cell: str, words: str, tmp_path: Path) -> None:
    beside(tmp_path)
    (tmp_path / "a.jsonl").write_text(json.dumps({**ROW, "prompt": cell}))
    (pair,) = pairs_of(source(str(tmp_path))).values()
    assert pair.modified_facts["change"] == words
