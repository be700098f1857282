"""What shows the same thing belongs to one split: copies in other formats and sizes, and the turns of an edit."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.data.odd_images import encoded, scenery
from tests.domains.imported.samples import cell, table
from vision_zero.data import collection
from vision_zero.data.image_identity import groups, reduced, same
from vision_zero.data.image_pair import Change, Facts, ImagePair
from vision_zero.data.splits import Split, SplitFilter
from vision_zero.data.table import PairTable
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.domains.photos.collection import open_collection
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.domains.pictures.source import PictureSource
from vision_zero.randomness import Seed

SPLITS: tuple[Split, ...] = ("train", "held_out")


def copies(image: Image.Image) -> dict[str, bytes]:
    smaller = image.resize((image.width * 3 // 5, image.height * 3 // 5), Image.Resampling.LANCZOS)
    return {"png": encoded(image), "jpg": encoded(image, "JPEG", quality=80), "webp": encoded(smaller, "WEBP", quality=80)}


def test_copies_are_the_same_and_other_images_are_not() -> None:
    photos = open_collection(PhotosConfig())
    scenes = [*(photos.load(place) for place in range(len(photos))), *(scenery(320, 240, seed) for seed in range(3))]
    shown = [reduced(copy) for scene in scenes for copy in (scene, scene.resize((scene.width // 3, scene.height // 3)))]
    found = groups(range(len(shown)), same(shown))
    assert found == [[2 * number, 2 * number + 1] for number in range(len(scenes))]


@pytest.mark.slow
def test_twelve_photographs_in_three_formats_are_divided_as_twelve(tmp_path: Path) -> None:
    for number in range(12):
        for suffix, data in copies(scenery(240, 180, number)).items():
            (tmp_path / f"{suffix}-{number}.{suffix}").write_bytes(data)
    whole = PictureSource(PicturesConfig(location=str(tmp_path)))
    shown = {}
    for split in SPLITS:
        # Each comes once before any comes again, and there are 36.
        pairs = islice(whole.of(SplitFilter(split, 0.3)).each(Seed(0)), 36)
        names = [Path(name).stem.split("-") for name in {str(pair.original_facts["picture"]) for pair in pairs}]
        shown[split] = {number for _, number in names}
        assert sorted(number for _, number in names) == sorted([*shown[split]] * 3)
    assert not shown["train"] & shown["held_out"]
    assert len(shown["train"] | shown["held_out"]) == 12
    assert min(map(len, shown.values())) >= 1


def turns(image: Image.Image, count: int) -> list[Image.Image]:
    """An image and what each of so many edits, one upon the other, makes of it."""
    made = [image]
    for turn in range(count):
        copy = made[-1].copy()
        ImageDraw.Draw(copy).rectangle((20 + 40 * turn, 20, 50 + 40 * turn, 70), fill=(240, 30 + 60 * turn, 20))
        made.append(copy)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("identity", ["img_id", "pictures"])
def test_the_turns_of_an_edit_belong_together(identity: str, tmp_path: Path) -> None:
    rows = []
    for number in range(8):
        for turn, (before, after) in enumerate(zip(*[turns(scenery(seed=number), 3)[place:] for place in (0, 1)], strict=False)):
            image = cell(encoded(before, "JPEG", quality=90)) if turn else cell(encoded(before))
            row = {"turn_index": turn, "source_img": image, "target_img": cell(encoded(after)), "instruction": "so"}
            rows.append({**row, "img_id": f"{number}"} if identity == "img_id" else row)
    source = ImportedSource(ImportedConfig(location=table(tmp_path / "data" / "train-00000-of-00001.parquet", rows)))
    shown = {}
    for split in SPLITS:
        places = [int(str(pair.original_facts["id"]).split(":")[1]) for pair in source.of(SplitFilter(split)).each(Seed(0))]
        shown[split] = {place // 3 for place in places}
        assert places == sorted(3 * number + turn for number in shown[split] for turn in range(3))
    assert not shown["train"] & shown["held_out"]
    assert len(shown["train"]) + len(shown["held_out"]) == 8


def test_a_group_divides_also_what_is_too_much_to_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "COMPARED", 4)
    rows = []
    for number in range(12):
        scene = scenery(64, 48, number)
        after = turns(scene, 1)[1]
        rows.append({"image": cell(encoded(scene)), "edited_image": cell(encoded(after)), "session_id": number % 6})
    source = ImportedSource(ImportedConfig(location=table(tmp_path / "a.parquet", rows)))
    sides = {}
    for split in SPLITS:
        sides[split] = {
            int(str(pair.original_facts["id"]).split(":")[1]) for pair in source.of(SplitFilter(split, 0.4)).each(Seed(0))
        }
        assert {place % 6 for place in sides[split]} == {place for place in sides[split] if place < 6}
    assert sorted([*sides["train"], *sides["held_out"]]) == list(range(12))


@pytest.mark.parametrize("compared", [1000, 4])
def test_imported_crops_of_a_photo_belong_together(compared: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "COMPARED", compared)
    pairs = []
    for number in range(12):
        scene = scenery(64, 48, number)
        facts: Facts = {"photo": f"{number % 4}.jpg"}
        change = Change("remove", "a disc", "", (0, 0, 8, 8))
        pairs.append(ImagePair(f"{number}", "photos", scene, turns(scene, 1)[1], (change,), facts, facts))
    PairTable.from_pairs(enumerate(pairs), "train").write(tmp_path / "pairs.parquet")
    source = ImportedSource(ImportedConfig(location=str(tmp_path)))
    sides = {}
    for split in SPLITS:
        found = {int(str(pair.original_facts["id"]).split(":")[1]) for pair in source.of(SplitFilter(split, 0.4)).each(Seed(0))}
        sides[split] = {place % 4 for place in found}
        assert found == {place for place in range(12) if place % 4 in sides[split]}
    assert sides["train"] | sides["held_out"] == {*range(4)}


def test_a_column_that_is_the_same_in_all_rows_groups_nothing(tmp_path: Path) -> None:
    rows = [
        {"image": cell(encoded(scenery(64, 48, number))), "edited_image": cell(encoded(turns(scenery(64, 48, number), 1)[1]))}
        for number in range(6)
    ]
    source = ImportedSource(ImportedConfig(location=table(tmp_path / "a.parquet", [{**row, "image_id": 1} for row in rows])))
    counts = [len([*source.of(SplitFilter(split, 0.5)).each(Seed(0))]) for split in SPLITS]
    assert sum(counts) == 6
    assert min(counts) > 0
