"""Training and held-out pairs are made of different things, however few there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.odd_images import encoded, scenery
from vision_zero.data.splits import SplitFilter
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.photos.source import PhotoSource
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


@given(st.sets(st.binary(max_size=8), min_size=2, max_size=40), st.floats(0.01, 0.99))
def test_every_thing_is_in_one_split_and_both_have_some(keys: set[bytes], share: float) -> None:
    things = sorted(keys)
    train, held_out = (SplitFilter(split, share).choose(things) for split in ("train", "held_out"))
    assert [not is_mine for is_mine in train] == held_out
    assert any(train)
    assert any(held_out)


def test_adding_things_moves_none_of_the_others() -> None:
    things = [str(number).encode() for number in range(100)]
    only = SplitFilter("held_out")
    assert only.choose(things)[:60] == only.choose(things[:60]) == [only.holds(thing) for thing in things[:60]]
    assert 10 <= sum(only.choose(things)) <= 30


@pytest.mark.slow
def test_photos_of_one_split_are_never_those_of_the_other() -> None:
    config = PhotosConfig(width=112, height=112)
    shown = {}
    for split in ("train", "held_out"):
        source = PhotoSource(config, only=SplitFilter(split))
        shown[split] = {source.sample(Seed(1).child(split, place)).original_facts["photo"] for place in range(4)}
    assert not shown["train"] & shown["held_out"]
    assert shown["train"]
    assert shown["held_out"]  # of two photos, one has nothing that can be changed so that it looks possible


@pytest.mark.slow
def test_copies_and_other_edits_of_an_image_belong_to_its_split(tmp_path: Path) -> None:
    for number in range(8):
        original = scenery(seed=number)
        for name in (f"{number}", f"copy-of-{number}"):
            (tmp_path / f"{name}_original.png").write_bytes(encoded(original))
            (tmp_path / f"{name}_modified.png").write_bytes(encoded(scenery(seed=100 + number)))
    sides = {}
    for split in ("train", "held_out"):
        source = ImportedSource(ImportedConfig(location=str(tmp_path)), SplitFilter(split))
        sides[split] = {str(pair.original_facts["id"]) for pair in source.each(Seed(0))}
        assert sides[split] == {f"{prefix}{name[-1]}" for name in sides[split] for prefix in ("", "copy-of-")}
        assert str(source.sample(Seed(4)).original_facts["id"]) in sides[split]
    assert len(sides["train"]) + len(sides["held_out"]) == 16


def test_a_split_whose_things_are_all_broken_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    source = PhotoSource(PhotosConfig(location=str(tmp_path)), only=SplitFilter("held_out"))
    with pytest.raises(PairsError, match=r"no usable photo in .* that belongs to the held-out pairs: .*a\.png"):
        source.sample(Seed(0))
