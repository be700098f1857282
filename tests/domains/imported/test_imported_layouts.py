"""The ways in which people lay out pairs of files: names, folders and archives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.odd_images import encoded, scenery
from tests.domains.imported.samples import assert_sound, mask, pairs_of, put, tar
from tests.domains.imported.test_imported_files import changed, folder, sound, source
from vision_zero.data.file_naming import SIDES
from vision_zero.data.splits import SplitFilter
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "pair_id"),
    [
        (("7_original.png", "7_modified.png"), "7"),
        (("7_before.png", "7_after.png"), "7"),
        (("7-input.png", "7-output1.png"), "7_1"),
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
        (("scene_before/7.png", "scene_after/7.png"), "scene/7"),
        (("original photos/7.png", "edited photos/7.png"), "7"),
        (("src_img/7.png", "edited_img/7.png"), "7"),
        (("T1/7.png", "T2/7.png"), "7"),
        (("7.jpg", "7_edited.jpg"), "7"),
        (("IMG_2023.jpg", "IMG_2023-edited.jpg"), "IMG_2023"),
        (("7_original.png", "7.png"), "7"),
        (("images/7.png", "edited/7.png"), "7"),
        (("001_before_kitchen.png", "001_after_kitchen.png"), "001_kitchen"),
        (("room_before_2.png", "room_after_2.png"), "room_2"),
        (("7_before (1).png", "7_after (1).png"), "7_(1)"),
        (("before/cafe\u0301.png", "after/caf\u00e9.png"), "caf\u00e9"),
        (("7/1.png", "7/2.png"), "7"),
        (("7/image_0.png", "7/image_1.png"), "7"),
        (("7/first.png", "7/second.png"), "7"),
        (("7_01.png", "7_02.png"), "7"),
        (("left/7.png", "right/7.png"), "7"),
        (("t0/7.png", "t1/7.png"), "7"),
        (("source/7_original.png", "results/7_edited.png"), "7"),
        (("a\nb_original.png", "a\nb_modified.png"), "a\nb"),
    ],
)
def test_pairs_are_found_by_the_names_that_people_give(names: tuple[str, str], pair_id: str, tmp_path: Path) -> None:
    made = source(put(tmp_path, dict(zip(names, sound(), strict=True))))
    pairs = pairs_of(made)
    assert set(pairs) == {pair_id}
    assert_sound(pairs[pair_id])
    assert made.report().skipped == {}


def test_ways_of_naming_may_be_mixed_and_other_images_are_counted(tmp_path: Path) -> None:
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
    assert report.skipped == {"3": "it has no modified image"}
    assert report.left_out["hidden files"] == 2
    assert report.left_out["images whose name fits no pair"] == 1
    assert any("compressed files" in reason for reason in report.left_out)
    assert (report.files, report.found) == (9, 3)


def test_numbered_photos_are_no_pairs(tmp_path: Path) -> None:
    root = put(tmp_path, {f"IMG_{number}.png": sound(number)[0] for number in range(4)})
    with pytest.raises(PairsError, match=r"holds no pairs.*found: 4 files, 4 images whose name fits no pair"):
        source(root)


@pytest.mark.parametrize(
    ("original", "edits"),
    [
        ("7_original.png", ("7_edited_1.png", "7_edited_2.png")),
        ("7/source.png", ("7/edit_0.png", "7/edit_1.png")),
        ("originals/7.png", ("edits/7_1.png", "edits/7_2.png")),
        ("7.png", ("7_edited_1.png", "7_edited_2.png")),
    ],
)
def test_several_edits_of_one_image_are_pairs_of_one_split(original: str, edits: tuple[str, str], tmp_path: Path) -> None:
    data, modified = sound()
    blue = changed(scenery())
    blue.paste((0, 0, 255), (30, 35, 50, 45))
    files = {original: data, **dict(zip(edits, (modified, encoded(blue)), strict=True)), "7.txt": b"Paint it"}
    files |= {f"{name}_{side}.png": one for name in "ab" for side, one in zip(SIDES, sound(ord(name)), strict=True)}
    made = source(put(tmp_path, files))
    pairs = pairs_of(made)
    assert len(pairs) == 4
    assert made.report().skipped == {}
    shared = [name for name, pair in pairs.items() if pair.modified_facts["change"] == "Paint it"]
    assert len(shared) == 2
    assert all(pairs[name].original.tobytes() == scenery().tobytes() for name in shared)
    for split in ("train", "held_out"):
        held = {str(pair.original_facts["id"]) for pair in made.of(SplitFilter(split, 0.4)).each(Seed(0))}
        assert len(held & set(shared)) in (0, 2)


def test_pairs_whose_names_leave_the_same_have_ids_of_their_own(tmp_path: Path) -> None:
    files = dict(zip(("7_a.png", "7_b.png", "7-a.png", "7-b.png", "8_a.png"), (*sound(), *sound(1), b"x"), strict=True))
    made = source(put(tmp_path, files | {"8_b.png": b"x"}))
    assert set(pairs_of(made)) == {"7_a.png", "7-a.png"}
    assert set(made.report().skipped) == {"8"}


def test_a_stray_that_has_a_side_in_its_name_is_no_pair(tmp_path: Path) -> None:
    original, modified = sound()
    files = {"1_original.png": original, "1_modified.png": modified, "old_town.png": original, "the_input.png": original}
    report = source(put(tmp_path, files)).report()
    assert report.skipped == {}
    assert report.left_out == {"images whose name fits no pair": 2}


def test_words_beside_the_images_are_read(tmp_path: Path) -> None:
    original, modified = sound()
    files = {f"{name}_{side}.png": data for name in "abcdef" for side, data in (("before", original), ("after", modified))}
    files |= {"a.txt": b"Make it\nyellow", "b_prompt.txt": b"Paint it", "c.json": b'{"instruction": "Fill it"}'}
    files |= {"d.txt": "Färbe es".encode("utf-16"), "e.json": '{"edit": "Färbe es"}'.encode("utf-8-sig"), "f.txt": b"F\xe4rbe es"}
    assert {name: pair.modified_facts["change"] for name, pair in pairs_of(source(put(tmp_path, files))).items()} == {
        "a": "Make it yellow",
        "b": "Paint it",
        "c": "Fill it",
        "d": "Färbe es",
        "e": "Färbe es",
        "f": "F\ufffdrbe es",
    }


def test_shards_of_webdataset_are_read(tmp_path: Path) -> None:
    for shard in range(2):
        files: dict[str, bytes] = {}
        for number in (0, 1):
            original, modified = sound(2 * shard + number)
            files |= {f"{number:06d}.input.jpg": original, f"{number:06d}.output.jpg": modified}
            files[f"{number:06d}.json"] = json.dumps({"edit": f"change {number}"}).encode()
        tar(tmp_path / f"shard-{shard:05d}.tar", {**files, "._000000.input.jpg": b"a Mac's own"})
    pairs = pairs_of(source(str(tmp_path)))
    assert set(pairs) == {f"shard-{shard:05d}.tar/{number:06d}" for shard in (0, 1) for number in (0, 1)}
    assert source(str(tmp_path)).report().left_out == {"hidden files": 2}
    assert_sound(pairs["shard-00001.tar/000001"], 3)
    assert pairs["shard-00001.tar/000001"].modified_facts["change"] == "change 1"
    report = source(str(tmp_path / "shard-00000.tar")).report()
    assert (report.found, report.files) == (2, 1)


def test_an_archive_that_is_cut_short_is_named(tmp_path: Path) -> None:
    original, modified = sound()
    tar(tmp_path / "a.tar", {"1.original.png": original, "1.modified.png": modified})
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "b.tar").write_bytes(b"no archive" * 200)
    (tmp_path / "c.tar").write_bytes(whole[: len(original) + 600 + len(modified) // 2])
    report = source(str(tmp_path)).report()
    assert "not a readable tar archive" in report.skipped["b.tar"]
    assert len(report.skipped) == 2


def test_a_local_path_may_hold_colons_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    root = tmp_path / "a::b" / "c:d"
    assert set(pairs_of(source(folder(root, {"1": sound()})))) == {"1"}
    (root / "1_original.png").rename(root / "\udcff_original.png")
    (root / "1_modified.png").rename(root / "\udcff_modified.png")
    (pair,) = source(str(root)).each(Seed(0))
    assert pair.original_facts["id"] == "\ufffd"
    assert pair.facts_json()[0].encode()


def test_sixteen_bits_are_scaled_alike_in_both_images(tmp_path: Path) -> None:
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
