"""The source of photo pairs: kinds of edit, places that photos come from, and photos that cannot be used."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError

from tests.data.odd_images import BROKEN, encoded, odd, scenery
from tests.data.s3_server import options, s3_server
from vision_zero.config.sources import QualityConfig
from vision_zero.data.images import changed_mask
from vision_zero.data.source_report import SourceReport, merged
from vision_zero.data.storage_config import StorageConfig
from vision_zero.domains.photos.collection import SHIPPED, ShippedPhotos, open_collection
from vision_zero.domains.photos.config import PhotoEdit, PhotosConfig
from vision_zero.domains.photos.plausibility import WEAK
from vision_zero.domains.photos.region_editor import NOTHING, RegionEditor
from vision_zero.domains.photos.source import PhotoSource, draw_crop
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed
from vision_zero.validation.quality import measure

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"width": 160, "height": 120}
KINDS: tuple[PhotoEdit, ...] = get_args(PhotoEdit)


def photos(root: Path, files: dict[str, bytes]) -> str:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return str(root)


def sceneries(count: int, size: tuple[int, int] = (320, 240)) -> dict[str, bytes]:
    return {f"{number}.png": encoded(scenery(*size, seed=number)) for number in range(count)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_edit_is_local_visible_and_logged(kind: PhotoEdit, tmp_path: Path) -> None:
    location = photos(tmp_path, sceneries(3))
    source = PhotoSource(PhotosConfig(location=location, edits={kind: 1}, min_crop=0.9, max_changes=1))
    for place in range(3):
        pair = source.sample(Seed(7).child(place))
        assert [change.kind for change in pair.changes] == [kind]
        left, top, right, bottom = pair.changes[0].box
        differs = (np.asarray(pair.original) != np.asarray(pair.modified)).any(axis=2)
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        assert (left, top, right, bottom) == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert changed_mask(pair.original, pair.modified, 24).mean() >= source.config.min_visible
        assert differs.mean() < 0.35


def test_who_insists_gets_the_kind_that_was_drawn_or_nothing() -> None:
    editor = RegionEditor(PhotosConfig(edits={"move": 1, "recolor": 1}, max_changes=1))
    movable, fixed = (Image.new("RGB", (160, 120), (90, 140, 120)) for _ in range(2))
    ImageDraw.Draw(movable).ellipse((20, 40, 59, 79), fill=(200, 30, 40))
    # A thing that runs out of the image cannot be shown elsewhere.
    ImageDraw.Draw(fixed).ellipse((-2, 40, 37, 79), fill=(200, 30, 40))
    drawn = set()
    for place in range(8):
        seed = Seed(16).child(place)
        wished = editor.edit(movable, seed, insists=True)
        other, strict = editor.edit(fixed, seed), editor.edit(fixed, seed, insists=True)
        assert wished is not None
        assert other is not None
        assert other.changes[0].kind == "recolor"
        assert (strict is None) == (wished.changes[0].kind == "move")
        drawn.add(wished.changes[0].kind)
    assert drawn == {"move", "recolor"}
    assert editor.drawn_again["move: it is no simple form inside the image"] > 0


def test_edits_that_look_impossible_are_drawn_again_and_counted(tmp_path: Path) -> None:
    location = photos(tmp_path, sceneries(2))
    everything = PhotoSource(PhotosConfig(location=location, min_plausible=0.0, max_changes=1, **SMALL))
    strict = PhotoSource(PhotosConfig(location=location, min_plausible=0.9, max_changes=1, **SMALL))
    for source in (everything, strict):
        for place in range(3):
            pair = source.sample(Seed(21).child(place))
            edits: list[dict[str, Any]] = pair.modified_facts["edits"]  # type: ignore[assignment]
            assert all(min(edit["looks"].values()) >= source.config.min_plausible for edit in edits)
    looks = tuple(WEAK.values())
    assert not any(reason.split(": ")[1].startswith(looks) for reason in everything.report().drawn_again)


def test_what_was_drawn_again_is_told() -> None:
    again = {"remove: a seam would show": 3, "move: no other place looks like its own": 4}
    report = SourceReport(domain="photos", location="/photos", things="photos", files=2, found=2, drawn_again=again)
    assert report.headline().endswith(", 7 edits drawn again")
    assert report.details() == [
        "drawn again 4: move: no other place looks like its own",
        "drawn again 3: remove: a seam would show",
    ]
    assert merged([report, report])[0].drawn_again == {reason: 2 * count for reason, count in again.items()}


def test_photos_without_a_possible_edit_are_counted(tmp_path: Path) -> None:
    files = {**sceneries(1), "flat.png": encoded(Image.new("RGB", (320, 240), "grey"))}
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, files), width=112, height=84, max_changes=1))
    assert {pair.original_facts["photo"] for pair in islice(source.each(Seed(5)), 2)} == {"0.png"}
    report = source.report()
    assert set(report.not_edited) == {"flat.png"}
    assert report.not_edited["flat.png"].split(": ")[1] in NOTHING.values()
    assert "1 without a possible edit" in report.headline()
    assert report.is_worth_a_warning
    assert f"without a possible edit 1: {report.not_edited['flat.png']}" in report.details()
    assert merged([report, report])[0].not_edited == report.not_edited


def test_edits_are_told_in_plain_words(tmp_path: Path) -> None:
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, sceneries(3)), min_crop=0.9, max_changes=1))
    for place in range(5):
        change = source.sample(Seed(8).child(place)).changes[0]
        assert change.before.startswith("the ")
        assert " region" in change.before
        assert (change.after == "") == (change.kind == "remove")
        assert "  " not in change.sentence()


def test_grey_photos_stay_grey(tmp_path: Path) -> None:
    files = {name: encoded(scenery(320, 240, seed=number).convert("L")) for number, name in enumerate(("a.png", "b.png"))}
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, files), min_crop=0.9))
    pair = source.sample(Seed(1))
    assert {change.kind for change in pair.changes} <= {"remove", "move"}
    assert np.ptp(np.asarray(pair.modified).astype(int), axis=2).max() <= 2


def test_several_changes_touch_different_places() -> None:
    source = PhotoSource(PhotosConfig(min_changes=2, max_changes=3))
    for place in range(3):
        pair = source.sample(Seed(9).child(place))
        assert 2 <= len(pair.changes) <= 3
        rest = (np.asarray(pair.original) != np.asarray(pair.modified)).any(axis=2)
        for left, top, right, bottom in (change.box for change in pair.changes):
            assert rest[top:bottom, left:right].any()
        for left, top, right, bottom in (change.box for change in pair.changes):
            rest[top:bottom, left:right] = False
        assert not rest.any()


def test_the_default_needs_no_network_and_passes_the_quality_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr("socket.socket.connect", refuse)
    source = PhotoSource(PhotosConfig())
    assert source.check() == {}
    quality = QualityConfig()
    for place in range(6):
        found = measure(source.sample(Seed(10).child(place)), quality)
        assert quality.min_changed_area <= found["changed_area"] <= quality.max_changed_area
        assert quality.min_similarity <= found["similarity"] <= quality.max_similarity
    facts = source.sample(Seed(10)).original_facts
    assert facts["rights"]
    assert facts["photo"] in {ShippedPhotos().name(place) for place in range(len(SHIPPED))}


def test_facts_say_where_the_image_is_from(tmp_path: Path) -> None:
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, {"sub/a.png": encoded(scenery(1000, 750))}), min_crop=0.6))
    pair = source.sample(Seed(11))
    facts: dict[str, Any] = dict(pair.original_facts)
    assert facts["photo"] == "sub/a.png"
    left, top, right, bottom = facts["crop"]
    assert 0 <= left < right <= 1000
    assert 0 <= top < bottom <= 750
    assert (right - left) / (bottom - top) == pytest.approx(4 / 3, rel=0.01)
    again = scenery(1000, 750).resize((320, 240), Image.Resampling.LANCZOS, box=(left, top, right, bottom))
    if facts["mirrored"]:
        again = again.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert np.abs(np.asarray(again).astype(int) - np.asarray(pair.original)).mean() < 6
    edits: list[dict[str, Any]] = pair.modified_facts["edits"]  # type: ignore[assignment]
    assert [edit["box"] for edit in edits] == [list(change.box) for change in pair.changes]
    for edit in edits:
        assert ("shown" in edit) == (edit["kind"] == "move")
        assert all(len(edit.get(name, "abc")) >= 3 for name in ("region", "shown"))
        assert set(edit["looks"]) == {"whole", "ground", "room", "size", "seam", "fill"}
    assert all(set(region) == {"box", "color"} for region in facts["regions"])


def test_photos_that_cannot_be_used_are_skipped(tmp_path: Path) -> None:
    files = {f"bad/{name}.png": data for name, data in BROKEN.items()}
    files["tiny.png"] = encoded(Image.new("RGB", (1, 1)))
    files["good.png"] = encoded(scenery(320, 240))
    files["notes.txt"] = b"no image"
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, files), **SMALL))
    for place in range(4):
        pair = source.sample(Seed(12).child(place))
        assert pair.original_facts["photo"] == "good.png"
        assert np.ptp(np.asarray(pair.modified)) > 50
    problems = source.check()
    assert set(problems) == set(files) - {"good.png", "notes.txt"}
    assert "too small: 1x1, at least 80x60 pixels are needed" in problems["tiny.png"]
    assert all("\n" not in reason for reason in problems.values())


def test_odd_photos_are_read(tmp_path: Path) -> None:
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, {f"{name}.png": data for name, data in odd().items()}), **SMALL))
    assert source.check() == {}
    seen = {source.sample(Seed(13).child(place)).original_facts["photo"] for place in range(12)}
    assert len(seen) > 4


def test_photos_come_from_a_column(tmp_path: Path) -> None:
    rows = [{"photo": {"bytes": encoded(scenery(seed=number)), "path": None}} for number in range(3)]
    rows.append({"photo": {"bytes": b"", "path": None}})
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    source = PhotoSource(PhotosConfig(location=str(tmp_path), column="photo", **SMALL))
    assert str(source.sample(Seed(14)).original_facts["photo"]).startswith("a.parquet:")
    assert set(source.check()) == {"a.parquet:3"}
    with pytest.raises(PairsError, match="has no column image, but photo: set column"):
        PhotoSource(PhotosConfig(location=str(tmp_path)))


def test_places_without_photos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="holds no images"):
        PhotoSource(PhotosConfig(location=str(tmp_path)))
    with pytest.raises(PairsError, match="no such folder"):
        PhotoSource(PhotosConfig(location=str(tmp_path / "missing")))
    photos(tmp_path, {"a.png": BROKEN["text"]})
    with pytest.raises(PairsError, match=r"found no usable photo in .*a\.png"):
        PhotoSource(PhotosConfig(location=str(tmp_path))).sample(Seed(1))


def test_photos_without_things_are_reported(tmp_path: Path) -> None:
    flat = photos(tmp_path, {"flat.png": encoded(Image.new("RGB", (320, 240), "grey"))})
    with pytest.raises(PairsError, match="no photo could be edited in 40 tries, most often because: ") as raised:
        PhotoSource(PhotosConfig(location=flat, width=64, height=64)).sample(Seed(1))
    assert "\n" not in str(raised.value)


@pytest.mark.s3
def test_photos_come_from_a_bucket(tmp_path: Path) -> None:
    import fsspec

    with s3_server() as url:
        fsspec.filesystem("s3", **options(url)).pipe({f"pairs/photos/{name}": data for name, data in sceneries(2).items()})
        storage = StorageConfig(options=options(url), cache=str(tmp_path), wait_s=0.01)
        pair = PhotoSource(PhotosConfig(location="s3://pairs/photos", storage=storage, **SMALL)).sample(Seed(15))
        assert pair.original_facts["photo"] in ("0.png", "1.png")
        with pytest.raises(PairsError, match="no such folder, bucket or file"):
            PhotoSource(PhotosConfig(location="s3://nosuch", storage=storage))


def test_crops_stay_inside_and_have_the_wanted_shape() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        photo = (int(rng.integers(100, 2000)), int(rng.integers(100, 2000)))
        crop = draw_crop(photo, (160, 120), 0.5, True, rng)
        left, top, right, bottom = crop.box
        assert 0 <= left < right <= photo[0]
        assert 0 <= top < bottom <= photo[1]
        assert (right - left) / (bottom - top) == pytest.approx(4 / 3, rel=0.02)
    assert not any(draw_crop((300, 300), (160, 120), 0.5, False, rng).mirrored for _ in range(20))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"edits": {}}, "edits must give"),
        ({"edits": {"explode": 1}}, "explode"),
        ({"edits": {"blur": 1}}, "blur"),
        ({"min_plausible": 1.5}, "min_plausible"),
        ({"min_changes": 3}, "min_changes must not be larger"),
        ({"min_region": 0.3}, "min_region must be smaller"),
        ({"width": 10}, "width"),
        ({"colour": 1}, "colour"),
        ({"instruction": {"model": "x", "instructions": []}}, "instructions"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PhotosConfig(**settings)


def test_every_photo_comes_once_before_any_comes_twice(tmp_path: Path) -> None:
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, sceneries(4)), width=112, height=84))
    seen = [pair.original_facts["photo"] for pair in islice(source.each(Seed(3)), 8)]
    assert sorted(map(str, seen[:4])) == sorted(map(str, seen[4:])) == [f"{number}.png" for number in range(4)]
    assert seen[:4] != seen[4:]
    again = source.at(6, Seed(3).child(6), Seed(3))
    assert again.original_facts["photo"] == seen[6]


def test_a_broken_photo_has_no_turn_and_brings_no_other_one_twice(tmp_path: Path) -> None:
    files = {**sceneries(4), "broken.png": b"no image", "cut.png": sceneries(1)["0.png"][:200]}
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, files), width=112, height=84))
    seen = [str(pair.original_facts["photo"]) for pair in islice(source.each(Seed(3)), 8)]
    assert sorted(seen[:4]) == sorted(seen[4:]) == [f"{number}.png" for number in range(4)]
    fresh = PhotoSource(PhotosConfig(location=str(tmp_path), width=112, height=84))
    assert fresh.at(6, Seed(3).child(6), Seed(3)).original_facts["photo"] == seen[6]


def test_a_table_beside_photos_says_how_to_read_those(tmp_path: Path) -> None:
    files = {**sceneries(2), "metadata.jsonl": b'{"file_name": "0.png", "text": "discs"}'}
    with pytest.raises(PairsError, match="but file_name, text: set column; or set layout: files, for there are 2"):
        PhotoSource(PhotosConfig(location=photos(tmp_path, files)))
    assert PhotoSource(PhotosConfig(location=str(tmp_path), layout="files")).check() == {}


def test_photos_that_are_not_read_are_told(tmp_path: Path) -> None:
    files = {
        **sceneries(2),
        "a.heic": b"\x00\x00\x00\x18ftypheic" + bytes(40),
        "b.jfif": encoded(scenery(320, 240, 5), "JPEG"),
        "IMG_7": encoded(scenery(320, 240, 6)),
        "clip.mov": b"film",
        ".DS_Store": b"a Mac's own",
        "val2017/x.png": encoded(scenery(320, 240, 7)),
    }
    source = PhotoSource(PhotosConfig(location=photos(tmp_path, files)))
    assert set(source.check()) == {"a.heic"}
    report = source.report()
    assert (report.files, report.found, report.looks, report.failures) == (8, 5, 5, 1)
    assert "HEIC is not read" in report.skipped["a.heic"]
    assert report.left_out == {"hidden files": 1, "files of split validation": 1, "files that are no images by their names": 1}


def test_an_image_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    for name, seed in (("a.png", 1), ("b.png", 2)):
        (tmp_path / name).write_bytes(encoded(scenery(320, 240, seed=seed)))
    collection = open_collection(PhotosConfig(location=str(tmp_path / "b.png")))
    assert [collection.name(place) for place in range(len(collection))] == ["b.png"]
