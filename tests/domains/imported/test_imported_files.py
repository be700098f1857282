"""Folders of pairs of files: the index, what is skipped, what stops."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem
from PIL import Image, ImageDraw
from pydantic import ValidationError

from tests.data.odd_images import BROKEN, encoded, odd, scenery
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.data.remote_storage import Storage
from vision_zero.data.storage_config import StorageConfig
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.domains.registry import domain_of
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


def changed(image: Image.Image) -> Image.Image:
    """The image with a rectangle in it, at (20, 30, 60, 50)."""
    copy = image.copy()
    ImageDraw.Draw(copy).rectangle((20, 30, 59, 49), fill=(250, 240, 20))
    return copy


def folder(root: Path, pairs: Mapping[str, tuple[bytes | None, bytes | None]], suffix: str = "png") -> str:
    for name, sides in pairs.items():
        for side, data in zip(("original", "modified"), sides, strict=True):
            if data is not None:
                path = root / f"{name}_{side}.{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    return str(root)


def sound(seed: int = 0) -> tuple[bytes, bytes]:
    scene = scenery(seed=seed)
    return encoded(scene), encoded(changed(scene))


def source(location: str, **settings: Any) -> ImportedSource:
    return ImportedSource(ImportedConfig(location=location, **settings))


def test_pairs_come_with_their_id_and_an_exact_box(tmp_path: Path) -> None:
    made = source(folder(tmp_path, {"0042": sound()}))
    pair = made.sample(Seed(1))
    assert pair.domain == "imported"
    assert pair.original.tobytes() == scenery().tobytes()
    assert pair.modified.tobytes() == changed(scenery()).tobytes()
    assert [change.box for change in pair.changes] == [(20, 30, 60, 50)]
    assert pair.original_facts == {"id": "0042", "location": str(tmp_path)}
    assert len(made) == 1
    assert made.problems == {}


@pytest.mark.slow
def test_folders_below_and_other_files_are_no_trouble(tmp_path: Path) -> None:
    pairs = {"a/1": sound(1), "b/1": sound(2), "b/x_original_2": sound(3)}
    root = folder(tmp_path, pairs)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "b" / "readme_original.txt").write_text("hello")
    (tmp_path / "thumbnail.png").write_bytes(sound()[0])
    made = source(root)
    assert {made.sample(Seed(place)).original_facts["id"] for place in range(40)} == set(pairs)
    assert made.problems == {}


def test_names_may_be_in_capitals_and_of_different_kinds(tmp_path: Path) -> None:
    scene = scenery()
    (tmp_path / "7_Original.JPG").write_bytes(encoded(scene, "JPEG", quality=95))
    (tmp_path / "7_MODIFIED.webp").write_bytes(encoded(changed(scene), "WEBP", quality=95))
    assert source(str(tmp_path)).sample(Seed(1)).original_facts["id"] == "7"


def test_images_keep_their_size_unless_one_is_given(tmp_path: Path) -> None:
    root = folder(tmp_path, {"1": sound()})
    assert source(root).sample(Seed(1)).original.size == (160, 120)
    pair = source(root, width=80, height=60).sample(Seed(1))
    assert pair.original.size == pair.modified.size == (80, 60)


@pytest.mark.slow
def test_everything_unusable_is_skipped_with_its_reason(tmp_path: Path) -> None:
    original, modified = sound()
    pairs: dict[str, tuple[bytes | None, bytes | None]] = {
        "good": (original, modified),
        "no partner": (original, None),
        "no original": (None, modified),
        "the same": (original, original),
        "other size": (original, encoded(scenery(80, 60))),
        "tiny": (encoded(Image.new("RGB", (1, 1))), encoded(Image.new("RGB", (1, 1), "red"))),
        "black": (original, encoded(Image.new("RGB", (160, 120)))),
        **{name: (original, data) for name, data in BROKEN.items()},
    }
    made = source(folder(tmp_path, pairs))
    for place in range(25):
        pair = made.sample(Seed(place))
        assert pair.original_facts["id"] == "good"
        assert np.ptp(np.asarray(pair.modified)) > 50
    problems = made.check()
    assert set(problems) == set(pairs) - {"good"}
    assert problems == made.problems
    assert problems["no partner"] == "it has no modified image"
    assert problems["no original"] == "it has no original image"
    assert problems["the same"] == "its images are the same"
    assert problems["other size"] == "its images have different sizes: 160x120 and 80x60"
    assert "too small" in problems["tiny"]
    assert "single colour" in problems["black"]
    assert "empty" in problems["zero bytes"]
    assert "pixels" in problems["bomb"]
    assert all("\n" not in reason for reason in problems.values())


@pytest.mark.slow
def test_odd_images_are_read(tmp_path: Path) -> None:
    modified = encoded(changed(scenery(seed=9)))
    pairs: dict[str, tuple[bytes | None, bytes | None]] = {name: (data, modified) for name, data in odd().items()}
    made = source(folder(tmp_path, pairs))
    assert made.check() == {}
    assert {made.sample(Seed(place)).original_facts["id"] for place in range(200)} == set(pairs)


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    scene = scenery()
    root = folder(tmp_path, {"1": (encoded(scene, "JPEG", quality=95), encoded(changed(scene), "WEBP", quality=95))})
    assert source(root).sample(Seed(1)).original.size == (160, 120)


def test_two_originals_are_a_problem(tmp_path: Path) -> None:
    root = folder(tmp_path, {"1": sound(), "2": sound(2)})
    (tmp_path / "1_original.jpg").write_bytes(encoded(scenery(), "JPEG"))
    made = source(root)
    assert set(made.problems) == {"1"}
    assert "2 original images" in made.problems["1"]


@pytest.mark.slow
def test_what_was_drawn_before_changes_nothing(tmp_path: Path) -> None:
    pairs = {str(number): sound(number) if number % 2 else (BROKEN["text"], sound()[1]) for number in range(10)}
    root = folder(tmp_path, pairs)
    fresh = [source(root).sample(Seed(place)).original_facts["id"] for place in range(12)]
    used = source(root)
    used.check()
    assert [used.sample(Seed(place)).original_facts["id"] for place in range(12)] == fresh


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    original, _ = sound()
    made = source(folder(tmp_path, {"1": (original, original), "2": (original, None)}))
    with pytest.raises(PairsError, match=r"found no usable pair in .*: the first of 2 problems: 2: it has no modified") as raised:
        made.sample(Seed(1))
    assert "\n" not in str(raised.value)
    partners = source(folder(tmp_path / "partners", {"1": (original, None)}))
    with pytest.raises(PairsError, match="it has no modified image"):
        partners.sample(Seed(1))


def test_places_without_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="holds no pairs: it needs files <id>_original"):
        source(str(tmp_path))
    with pytest.raises(PairsError, match="no such folder"):
        source(str(tmp_path / "missing"))
    with pytest.raises(PairsError, match="nosuch://x cannot be opened"):
        source("nosuch://x")
    with pytest.raises(PairsError, match="no location is given"):
        Storage("", StorageConfig())


def test_files_that_may_not_be_read_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = source(folder(tmp_path, {"1": sound(), "2": sound(2)}))
    locked = str(tmp_path / "1_modified.png")
    read = LocalFileSystem.cat_file

    def refuse(self: Any, path: str, *args: Any, **options: Any) -> Any:
        if path == locked:
            raise PermissionError(13, "Permission denied", path)
        return read(self, path, *args, **options)

    monkeypatch.setattr(LocalFileSystem, "cat_file", refuse)
    assert {made.sample(Seed(place)).original_facts["id"] for place in range(10)} == {"2"}
    assert "no permission" in made.problems["1"]


def test_a_folder_that_may_not_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.find", refuse)
    with pytest.raises(PairsError, match=r"no permission .* check the credentials and their rights"):
        source(str(tmp_path))


def test_a_folder_below_that_may_not_be_listed_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    location, locked = folder(tmp_path, {"1": sound(), "locked/2": sound(2)}), tmp_path / "locked"
    scan, access = os.scandir, os.access

    def refuse(path: str) -> Any:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked and access(path, mode))
    report = source(location).report()
    assert (report.files, report.found, report.left_out) == (2, 1, {"folders that may not be read": 1})


def test_other_file_systems_work_alike(tmp_path: Path) -> None:
    files = fsspec.filesystem("memory")
    original, modified = sound()
    files.pipe({"/imported/1_original.png": original, "/imported/1_modified.png": modified})
    storage = StorageConfig(cache=str(tmp_path / "cache"))
    pair = source("memory://imported", storage=storage).sample(Seed(1))
    assert pair.modified.tobytes() == changed(scenery()).tobytes()
    assert len(list((tmp_path / "cache").iterdir())) == 2
    files.rm("/imported", recursive=True)


def test_only_files_that_match_the_pattern_are_used(tmp_path: Path) -> None:
    root = folder(tmp_path, {"train/1": sound(), "test/2": sound(2)})
    made = source(root, storage=StorageConfig(pattern="train/*"))
    assert len(made) == 1
    assert made.sample(Seed(1)).original_facts["id"] == "train/1"


def test_paths_do_not_lead_out_of_the_location(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    folder(inner, {"1": sound()})
    (tmp_path / "secret.png").write_bytes(sound()[0])
    storage = Storage(str(inner), StorageConfig())
    for path in ("../secret.png", str(tmp_path / "secret.png"), "secret.png"):
        with pytest.raises(PairsError, match="no such file in"):
            storage.read(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 100}, "both width and height"),
        ({"original_column": "a"}, "both original_column and modified_column"),
        ({"layout": "zip"}, "layout"),
        ({"width": 5000, "height": 10}, "less than or equal to 4096"),
        ({"storage": {"attempts": 0}}, "attempts"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ImportedConfig(location="x", **settings)


@pytest.mark.parametrize("domain", ["imported", "photos", "pictures"])
def test_a_location_must_be_given_before_anything_runs(domain: str) -> None:
    with pytest.raises(ValidationError, match=f"{domain}.location\n  String should have at least 1 character"):
        BuildPairsConfig.model_validate({"domain": domain, domain: {"location": ""}})
    if domain_of(domain).needs_location:
        with pytest.raises(ValidationError, match=f"{domain}.location\n  Field required"):
            BuildPairsConfig.model_validate({"domain": domain, domain: {}})


def test_a_link_to_itself_is_skipped_and_every_other_file_is_counted(tmp_path: Path) -> None:
    """The operating system's error is not a lost connection: it ended the whole import."""
    location = folder(tmp_path, {"1": sound(1), "2": (None, sound(2)[1])})
    (tmp_path / "2_original.png").symlink_to(tmp_path / "2_original.png")
    (tmp_path / "1_prompt.txt").write_text("a yellow field")
    for name in ("notes.txt", "clip.mp4", "LICENSE"):
        (tmp_path / name).write_text("hello")
    made = source(location)
    assert [pair.modified_facts["change"] for pair in made.each(Seed(0))] == ["a yellow field"]
    report = made.report()
    assert (report.files, report.found, list(report.skipped)) == (8, 2, ["2"])
    assert "Too many levels of symbolic links" in report.skipped["2"]
    assert report.left_out == {"files that are no images by their names": 3}


def test_folders_are_followed_where_links_lead_to_them_and_not_round_in_circles(tmp_path: Path) -> None:
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    for side, data in zip(("before", "after"), sound(1), strict=True):
        (elsewhere / side).mkdir(parents=True)
        (elsewhere / side / "1.png").write_bytes(data)
    (here / "sub").mkdir(parents=True)
    (here / "set").symlink_to(elsewhere)
    (here / "sub" / "back").symlink_to(here)
    (elsewhere / "round").symlink_to(here)
    first = Storage(str(here), StorageConfig()).fingerprint()
    made = source(str(here))
    assert [pair.original_facts["id"] for pair in made.each(Seed(0))] == ["set/1"]
    assert made.report().skipped == {}
    (elsewhere / "after" / "1.png").write_bytes(sound(2)[1])
    assert Storage(str(here), StorageConfig()).fingerprint() != first


@pytest.mark.parametrize("name", ["1_modified.png", "a.parquet"])
def test_pointers_of_git_lfs_are_told(name: str, tmp_path: Path) -> None:
    location = folder(tmp_path, {"1": sound(1), "2": sound(2)})
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132735\n"
    (tmp_path / name).write_bytes(pointer)
    with pytest.raises(PairsError, match=f"{name}: only the pointer of a file in Git LFS: fetch it with git lfs pull"):
        made = source(location)
        raise PairsError(made.check()["1"])
