"""The contract of all pair sources."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageDraw

from tests.data.odd_images import scenery
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import changed_mask
from vision_zero.data.source import PairSource
from vision_zero.data.table import PairTable
from vision_zero.domains.charts.chartqa_tables import ChartQaTableSource
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.photos.source import PhotoSource
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.domains.pictures.source import PictureSource
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.randomness import Seed

pytestmark = pytest.mark.slow

VISIBLE, GROWTH = 24, 4
"""A pixel that differs by more than VISIBLE lies in a change's box grown by GROWTH pixels."""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pairs of files, and a ChartQA folder with twelve tables."""
    root = tmp_path_factory.mktemp("imported")
    tables = root / "train" / "tables"
    tables.mkdir(parents=True)
    for number in range(12):
        original = scenery(seed=number)
        modified = original.copy()
        ImageDraw.Draw(modified).rectangle((10 + 5 * number, 20, 40 + 5 * number, 60), fill=(240, 220, 20))
        original.save(root / f"{number}_original.png")
        modified.save(root / f"{number}_modified.png")
        rows = [f"{name},{10 + (7 * number + 23 * place) % 60}" for place, name in enumerate(("Haiti", "Libya", "Peru", "Chad"))]
        (tables / f"{number}.csv").write_text("\n".join(["Country,Share", *rows]))
    return root


SOURCES: dict[str, Callable[[Path], PairSource]] = {
    "scenes": lambda _: SceneSource(ScenesConfig(width=160, height=120)),
    "charts": lambda _: ChartSource(ChartsConfig(width=300, height=240)),
    "compact charts": lambda _: ChartSource(ChartsConfig(style="compact")),
    "charts of tables": lambda root: ChartQaTableSource(ChartsConfig(chartqa_root=str(root), width=300, height=240)),
    "photos": lambda _: PhotoSource(PhotosConfig(width=160, height=120)),
    "pictures": lambda _: PictureSource(PicturesConfig(width=160, height=120)),
    "imported": lambda root: ImportedSource(ImportedConfig(location=str(root))),
    "resized imported": lambda root: ImportedSource(ImportedConfig(location=str(root), width=80, height=64)),
}


@pytest.fixture(scope="module", params=SOURCES)
def make(request: pytest.FixtureRequest, imported: Path) -> Callable[[], PairSource]:
    """Makes a fresh source."""
    return lambda: SOURCES[request.param](imported)


@pytest.fixture(scope="module")
def pairs(make: Callable[[], PairSource]) -> list[ImagePair]:
    """Pairs of some seeds."""
    source = make()
    return [source.sample(Seed(3).child("contract", place)) for place in range(4)]


def same(one: ImagePair, other: ImagePair) -> bool:
    return (
        one.pair_id == other.pair_id
        and one.original.tobytes() == other.original.tobytes()
        and one.modified.tobytes() == other.modified.tobytes()
        and one.changes == other.changes
        and one.facts_json() == other.facts_json()
    )


def test_the_same_seed_gives_the_same_pair(make: Callable[[], PairSource], pairs: list[ImagePair]) -> None:
    source = make()
    # Backwards: what was drawn before must not matter.
    for place in (3, 0):
        assert same(source.sample(Seed(3).child("contract", place)), pairs[place])


def test_other_seeds_give_other_pairs(pairs: list[ImagePair]) -> None:
    assert len({pair.pair_id for pair in pairs}) == len(pairs)
    # Imported pairs and single images are only so many: two seeds may meet.
    least = 2 if pairs[0].domain in ("imported", "pictures") else len(pairs)
    assert len({pair.original.tobytes() for pair in pairs}) >= least


def test_both_images_are_rgb_and_of_one_size(make: Callable[[], PairSource], pairs: list[ImagePair]) -> None:
    source = make()
    for pair in pairs:
        assert pair.domain == source.domain
        assert pair.original.mode == pair.modified.mode == "RGB"
        assert pair.original.size == pair.modified.size
        assert np.ptp(np.asarray(pair.original)) > 30
        assert (np.ptp(np.asarray(pair.modified)) > 30) == (pair.domain != "pictures"), "beside a single image it is empty"


def test_something_changed_and_is_logged(pairs: list[ImagePair]) -> None:
    for pair in pairs:
        assert changed_mask(pair.original, pair.modified, VISIBLE).any()
        assert bool(pair.changes) == (pair.domain != "pictures"), "nothing of a single image is edited"
        width, height = pair.original.size
        for change in pair.changes:
            assert change.kind
            assert change.before or change.after
            left, top, right, bottom = change.box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


def test_what_changed_visibly_lies_in_a_box(pairs: list[ImagePair]) -> None:
    for pair in pairs:
        if pair.domain in ("scenes", "pictures"):
            # Shadows and reflections of what was edited reach further than the objects.
            continue
        changed = changed_mask(pair.original, pair.modified, VISIBLE)
        for left, top, right, bottom in (change.box for change in pair.changes):
            changed[max(0, top - GROWTH) : bottom + GROWTH, max(0, left - GROWTH) : right + GROWTH] = False
        assert not changed.any()


def test_facts_are_json(pairs: list[ImagePair]) -> None:
    for pair in pairs:
        original, modified = pair.facts_json()
        assert json.loads(original) == json.loads(json.dumps(pair.original_facts))
        assert json.loads(modified) == json.loads(json.dumps(pair.modified_facts))


def test_pairs_survive_the_table(pairs: list[ImagePair], tmp_path: Path) -> None:
    PairTable.from_pairs(enumerate(pairs), "train").write(tmp_path / "pairs.parquet")
    read = list(PairTable.read(tmp_path / "pairs.parquet").pairs())
    assert len(read) == len(pairs)
    assert all(same(one, other) for one, other in zip(pairs, read, strict=True))
