"""The pairs table, what validation makes of good and bad pairs, and which pairs an iteration gets."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.make import plain_pair, scene_pairs
from vision_zero.config.sources import QualityConfig, SourcesConfig
from vision_zero.data.images import png_bytes
from vision_zero.data.table import SCHEMA, PairSampler, PairTable, joined, stride
from vision_zero.errors import PairsError
from vision_zero.validation.expectations import judge
from vision_zero.validation.verdict import quarantine


def table_of(pairs, split="train", first=0):
    return PairTable.from_pairs(((first + number, pair) for number, pair in enumerate(pairs)), split)


def broken(table, row, **cells):
    rows = table.rows.to_pylist()
    rows[row].update(cells)
    return PairTable(pa.Table.from_pylist(rows, schema=SCHEMA))


def test_a_table_reads_back_what_was_written(tmp_path):
    pairs = scene_pairs(3)
    table_of(pairs).write(tmp_path / "pairs.parquet")
    again = list(PairTable.read(tmp_path / "pairs.parquet").pairs())
    for one, two in zip(pairs, again, strict=True):
        assert (one.pair_id, one.domain, one.changes) == (two.pair_id, two.domain, two.changes)
        assert one.original.tobytes() == two.original.tobytes()
        assert one.modified.tobytes() == two.modified.tobytes()
        assert one.facts_json() == two.facts_json()


def test_datasets_loads_the_file_unchanged(tmp_path):
    from datasets import load_dataset

    pairs = scene_pairs(2)
    table_of(pairs).write(tmp_path / "pairs.parquet")
    rows = load_dataset("parquet", data_files=str(tmp_path / "pairs.parquet"), cache_dir=str(tmp_path / "cache"))["train"]
    assert rows[0]["original"].tobytes() == pairs[0].original.tobytes()
    assert rows[1]["pair_id"] == pairs[1].pair_id
    assert rows[0]["changes"][0]["kind"] == "recolor_reshape"


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PAR1 but not really"),
        lambda path: pq.write_table(pa.table({"other": [1]}), path),
        lambda path: pq.write_table(pa.table({name: [1] for name in SCHEMA.names}), path),
        lambda path: None,
    ],
)
def test_what_is_no_pairs_table_is_refused_in_one_line(tmp_path, write):
    write(tmp_path / "pairs.parquet")
    with pytest.raises(PairsError) as error:
        PairTable.read(tmp_path / "pairs.parquet")
    assert "pairs.parquet" in str(error.value)


@pytest.mark.slow
def test_good_pairs_pass():
    verdict = judge(joined([table_of(scene_pairs(12)), table_of(scene_pairs(4, seed=1), "held_out")]), SourcesConfig())
    assert (verdict.checked, verdict.passed, verdict.quarantined) == (16, 16, ())
    assert all(expectation.holds for expectation in verdict.expectations)
    assert len(verdict.expectations) == 12


def reasons(table, **bounds):
    verdict = judge(table, SourcesConfig(quality=QualityConfig(max_quarantined=1.0, **bounds)))
    passed, out = quarantine(table, verdict)
    assert len(passed) + len(out) == len(table)
    return {entry.pair_id: " ".join(entry.reasons) for entry in verdict.quarantined}


@pytest.mark.slow
def test_each_fault_is_quarantined_with_its_reason():
    pairs = scene_pairs(6)
    good = table_of(pairs)
    assert "readable image" in reasons(broken(good, 0, original={"bytes": b"junk", "path": None}))[pairs[0].pair_id]
    truncated = png_bytes(pairs[1].modified)[:300]
    assert "readable image" in reasons(broken(good, 1, modified={"bytes": truncated, "path": None}))[pairs[1].pair_id]
    assert "empty" in reasons(broken(good, 2, original=None))[pairs[2].pair_id]
    small = replace(pairs[3], modified=pairs[3].modified.resize((56, 56)))
    assert "one size" in reasons(table_of([small, *pairs[:2]]))[small.pair_id]
    same = replace(pairs[4], modified=pairs[4].original)
    assert "changed area" in reasons(table_of([same, *pairs[:2]]))[same.pair_id]
    other = replace(pairs[5], modified=Image.new("RGB", (112, 112), "yellow"))
    assert "changed area" in reasons(table_of([other, *pairs[:2]]))[other.pair_id]
    silent = replace(pairs[5], changes=())
    assert "logged changes" in reasons(table_of([silent, *pairs[:2]]))[silent.pair_id]
    twin = replace(pairs[0], pair_id="twin")
    assert "shows no other pair again" in reasons(table_of([pairs[0], twin]))["twin"]
    bad_facts = broken(good, 0, original_facts="{not json")
    assert "facts" in reasons(bad_facts)[pairs[0].pair_id]


@pytest.mark.slow
def test_an_id_that_stands_twice_is_no_id():
    pairs = scene_pairs(3)
    twice = table_of([pairs[0], replace(pairs[1], pair_id=pairs[0].pair_id), pairs[2]])
    assert "id of its own" in reasons(twice)[pairs[0].pair_id]


@pytest.mark.slow
def test_training_images_may_not_be_held_out_ones():
    pairs = scene_pairs(4)
    leaked = replace(pairs[0], pair_id="leaked")
    found = reasons(joined([table_of([*pairs[1:], leaked]), table_of([pairs[0]], "held_out")]))
    assert found == {"leaked": f"shares nothing with the held-out split other pair: {pairs[0].pair_id}"}


@pytest.mark.slow
def test_too_many_bad_pairs_fail_the_run_in_one_sentence():
    pairs = scene_pairs(4)
    table = broken(table_of(pairs), 0, original=None)
    with pytest.raises(PairsError, match=r"25% of 4 pairs failed validation, more than the 10% allowed") as error:
        judge(table, SourcesConfig())
    assert "\n" not in str(error.value)


def test_an_empty_table_is_refused():
    with pytest.raises(PairsError, match="empty"):
        judge(joined([]), SourcesConfig())


def test_an_iteration_gets_its_own_pairs_and_spare_ones_fill_holes():
    pairs = [plain_pair(f"p{number}") for number in range(12)]
    table = table_of(pairs, first=6)  # iterations 1 and 2 of stride 6
    supply = PairSampler(table, games=4, stride=6)
    assert [pair.pair_id for pair in supply.of_iteration(1)] == ["p0", "p1", "p2", "p3"]
    holes = PairSampler(table.without(["p1", "p3"]), games=4, stride=6)
    assert [pair.pair_id for pair in holes.of_iteration(1)] == ["p0", "p2", "p4", "p5"]
    assert [pair.pair_id for pair in holes.of_iteration(2)] == ["p6", "p7", "p8", "p9"]
    with pytest.raises(PairsError, match="iteration 1 has 3 valid pairs for 4 games"):
        PairSampler(table.without(["p0", "p1", "p2"]), games=4, stride=6).of_iteration(1)
    with pytest.raises(PairsError, match="iteration 0 has 0"):
        supply.of_iteration(0)


@pytest.mark.parametrize(("games", "spare", "expected"), [(32, 0.1, 36), (10, 0.1, 11), (1, 0.0, 1), (128, 0.05, 135)])
def test_spare_pairs_are_rounded_up(games, spare, expected):
    assert stride(games, spare) == expected
