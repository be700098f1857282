"""Tables in several files: any number of pairs, the same ones whatever the number of processes, and memory that stays."""

from __future__ import annotations

import errno
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.odd_images import scenery
from tests.make import plain_pair, scene_pairs
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.shards import PairShards, ShardWriter, divide, write_pairs
from vision_zero.data.table import PairTable
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.errors import PairsError
from vision_zero.pair_sets.parts import make_pairs
from vision_zero.validation.expectations import judge

SMALL = {"scenes": {"width": 64, "height": 48, "min_objects": 2, "max_objects": 2, "min_visible_share": 0.1}}


def shards_of(folder: Path, count: int, rows_per_file: int) -> PairShards:
    with ShardWriter(folder, "pairs", rows_per_file) as writer:
        write_pairs(((place, plain_pair(f"p{place}")) for place in range(count)), "train", writer)
    return PairShards(folder)


def ids(shards: PairShards, size: int = 7) -> list[str]:
    return [pair_id for batch in shards.batches(size) for pair_id in batch.column("pair_id").to_pylist()]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(count=st.integers(0, 60), rows_per_file=st.integers(1, 40), size=st.integers(1, 50))
def test_what_is_written_is_read_in_order(
    count: int, rows_per_file: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shards = shards_of(tmp_path_factory.mktemp("shards") / "made", count, rows_per_file)
    assert ids(shards, size) == [f"p{place}" for place in range(count)]
    assert len(shards) == count
    assert len(shards.files()) == -(-count // rows_per_file)
    assert shards.head(5).ids == [f"p{place}" for place in range(min(5, count))]


def test_each_file_is_a_pairs_table(tmp_path: Path) -> None:
    for path in shards_of(tmp_path, 20, 8).files():
        assert len(PairTable.read(path)) in (8, 4)


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    def breaks() -> Iterator[tuple[int, ImagePair]]:
        for place in range(40):
            if place == 37:
                raise PairsError("the source broke")
            yield place, plain_pair(f"p{place}")

    with pytest.raises(PairsError, match="the source broke"), ShardWriter(tmp_path, "pairs", 20) as writer:
        write_pairs(breaks(), "train", writer)
    assert [path.name for path in tmp_path.iterdir()] == ["pairs-00000.parquet"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(PairsError, match=r"file/pairs cannot be written: .*; make room there, or name another folder"),
        ShardWriter(tmp_path / "file" / "pairs", "pairs", 3),
    ):
        pass

    with (
        pytest.raises(PairsError, match=r"\ufffd cannot be written: .* surrogates not allowed"),
        ShardWriter(tmp_path / "\udcff", "pairs", 3) as writer,
    ):
        write_pairs(enumerate(scene_pairs(1)), "train", writer)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with (
        pytest.raises(PairsError, match=r"pairs cannot be written: \[Errno 28\] No space left"),
        ShardWriter(tmp_path / "pairs", "pairs", 3) as writer,
    ):
        write_pairs(enumerate(scene_pairs(1)), "train", writer)
    assert not [*(tmp_path / "pairs").iterdir()]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    shards = shards_of(tmp_path, 4, 2)
    shards.files()[1].write_bytes(b"PAR1 no more")
    with pytest.raises(PairsError, match=r"pairs-00001\.parquet is not a pairs table"):
        ids(shards)


def test_failing_pairs_go_into_another_folder(tmp_path: Path) -> None:
    shards = shards_of(tmp_path / "made", 50, 20)
    good, bad = divide(shards, {"p3", "p49"}, tmp_path / "pairs", tmp_path / "quarantined", 30)
    assert ids(bad) == ["p3", "p49"]
    assert ids(good) == [f"p{place}" for place in range(50) if place not in (3, 49)]
    assert len(good.files()) == 2


@pytest.mark.slow
def test_shards_are_judged_as_a_table_is(tmp_path: Path) -> None:
    pairs = scene_pairs(12)
    with ShardWriter(tmp_path, "pairs", 5) as writer:
        write_pairs(enumerate(pairs), "train", writer)
    config = BuildPairsConfig()
    assert judge(PairShards(tmp_path), config) == judge(PairTable.from_pairs(enumerate(pairs), "train"), config)


@pytest.mark.cli
def test_the_pairs_do_not_depend_on_processes_and_files(tmp_path: Path) -> None:
    config = BuildPairsConfig.model_validate({"train": 7, "held_out": 3, "pairs_per_file": 3, **SMALL})
    alone = make_pairs(config, tmp_path / "alone")
    together = make_pairs(config.model_copy(update={"processes": 2, "pairs_per_file": 5}), tmp_path / "together")
    assert alone.count("split") == {"train": 7, "held_out": 3}
    assert ids(alone) == ids(together)
    tables = [pair for shards in (alone, together) for pair in [*shards.head(10).pairs()]]
    assert [pair.original.tobytes() for pair in tables[:10]] == [pair.original.tobytes() for pair in tables[10:]]


@pytest.mark.slow
def test_existing_pairs_are_taken_once_each(tmp_path: Path) -> None:
    for number in range(20):
        for side, seed in (("original", number), ("modified", 100 + number)):
            (tmp_path / "pairs").mkdir(exist_ok=True)
            scenery(seed=seed).save(tmp_path / "pairs" / f"{number}_{side}.png")
    imported = ImportedConfig(location=str(tmp_path / "pairs"))
    made = make_pairs(BuildPairsConfig(domain="imported", train=99, held_out=99, imported=imported), tmp_path / "made")
    taken = [str(pair.original_facts["id"]) for pair in made.head(50).pairs()]
    assert sorted(taken) == sorted(map(str, range(20)))
    assert 0 < made.count("split")["held_out"] < 10


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_pairs(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        shards_of(tmp_path / str(count), count, 1000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(16)
    assert peak(480) < 1.5 * peak(48)
    assert pq.read_metadata(tmp_path / "480" / "pairs-00000.parquet").num_row_groups == 30
