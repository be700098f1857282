"""Pairs built in parts, by separate processes and in any order, are those of one run; a part that was killed is continued."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from PIL import Image
from pydantic import ValidationError

from tests.make import files_below
from tests.pair_sets.building import build
from vision_zero.cli.app import cli
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.data.shards import PairShards
from vision_zero.errors import PairsError
from vision_zero.pair_sets import join as joining
from vision_zero.pair_sets import parts as building_parts
from vision_zero.pair_sets.join import LEAKS, REPEATS, Manifest, join_parts
from vision_zero.pair_sets.parts import file_record, finish_part, make_pairs, part_folder, part_in_work
from vision_zero.validation.verdict import Verdict

pytestmark = pytest.mark.slow

SMALL = {
    "scenes": {"width": 64, "height": 48, "min_objects": 2, "max_objects": 2, "min_visible_share": 0.1},
    "quality": {"max_quarantined": 1.0, "min_changed_area": 0.02, "probe_pairs": 0},
}


def settings(folder, **changes):
    base = {"train": 14, "held_out": 5, "pairs_per_file": 3, "folder": str(folder), **SMALL}
    return BuildPairsConfig.model_validate({**base, **changes})


def rows(folder, kind):
    """The pairs of a folder by id, with their images."""
    found = [row for batch in PairShards(folder / kind).batches(10) for row in batch.to_pylist()]
    return {row["pair_id"]: (row["split"], row["position"], row["original"], row["modified"]) for row in found}


def test_joined_parts_are_what_one_run_builds(tmp_path):
    whole = build(settings(tmp_path), tmp_path / "whole")
    for part in (2, 0, 1):
        build(settings(tmp_path / "parts", parts=3, part=part))
    manifest = join_parts(tmp_path / "parts", tmp_path / "joined")
    for kind in ("pairs", "quarantined"):
        assert rows(tmp_path / "joined", kind) == rows(tmp_path / "whole", kind)
    assert (manifest.parts, manifest.checked, manifest.passed) == (3, whole.checked, whole.passed)
    assert 0 < manifest.passed < manifest.checked
    assert manifest.reasons == whole.reasons
    assert Manifest.model_validate_json((tmp_path / "joined" / "manifest.json").read_bytes()) == manifest
    for file in manifest.files:
        assert file_record(tmp_path / "joined" / file.path, tmp_path / "joined") == file
    assert sum(file.rows for file in manifest.files) == 19


def test_pairs_that_repeat_or_give_away_those_of_other_parts_are_taken_out(tmp_path, monkeypatch):
    for part in range(2):
        build(settings(tmp_path, parts=2, part=part, quality={"max_quarantined": 1.0, "probe_pairs": 0}))
    monkeypatch.setattr(joining, "find_duplicates", _with_faults)
    manifest = join_parts(tmp_path, tmp_path / "joined")
    assert (manifest.reasons[REPEATS], manifest.reasons[LEAKS]) == (1, 1)
    assert manifest.passed == sum(manifest.splits.values()) == len(rows(tmp_path / "joined", "pairs"))
    assert manifest.passed + sum(manifest.reasons.values()) == 19
    out = pq.read_table(tmp_path / "joined" / "quarantined" / "between-parts.parquet")
    assert out.num_rows == 2
    assert not set(out["pair_id"].to_pylist()) & set(rows(tmp_path / "joined", "pairs"))


def _with_faults(frame, distance):
    found = real_duplicates(frame, distance)
    passed = [place for place, table in enumerate(frame["table"]) if table == 0]
    found.duplicate_of[passed[-1]] = found.leaks_from[passed[-2]] = "another"
    return found


real_duplicates = joining.find_duplicates


def test_a_part_that_was_killed_is_continued_from_its_whole_files(tmp_path):
    config = settings(tmp_path, parts=2, part=1, train=60)
    script = (
        "import sys; from pathlib import Path; from vision_zero.config.build_pairs import BuildPairsConfig; "
        "from vision_zero.pair_sets.parts import make_pairs; "
        "make_pairs(BuildPairsConfig.model_validate_json(sys.argv[1]), Path(sys.argv[2]))"
    )
    made = part_folder(config) / "made"
    with subprocess.Popen([sys.executable, "-c", script, config.model_dump_json(), str(made)], cwd=Path.cwd()) as process:
        while len(PairShards(made).files()) < 2:
            assert process.poll() is None, "it was done before it could be killed"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in PairShards(made).files()}
    assert 2 <= len(before) < 11
    build(config)
    uninterrupted = settings(tmp_path / "other", parts=2, part=1, train=60)
    build(uninterrupted)
    assert rows(part_folder(config), "pairs") == rows(part_folder(uninterrupted), "pairs")
    again = settings(tmp_path / "third", parts=2, part=1, train=60)
    first = make_pairs(again, part_folder(again) / "made").files()[0]
    written = first.stat().st_mtime_ns
    make_pairs(again, part_folder(again) / "made")
    assert first.stat().st_mtime_ns == written, "whole files are not made again"


def test_a_folder_and_processes_that_fail_are_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    config = settings(tmp_path / "file", parts=2)
    with pytest.raises(PairsError, match=r"part-00000-of-00002 cannot be written: .*; make room there"):
        make_pairs(config, part_folder(config) / "made")

    class Killed(ThreadPoolExecutor):
        def __init__(self, count, mp_context):
            super().__init__(count)

        def submit(self, *given):
            raise BrokenProcessPool

    monkeypatch.setattr(building_parts, "ProcessPoolExecutor", Killed)
    with pytest.raises(PairsError, match="one of 2 processes was killed, usually for lack of memory: lower processes"):
        make_pairs(settings(tmp_path, processes=2), tmp_path / "made")


def test_a_finished_part_is_not_built_again(tmp_path):
    config = settings(tmp_path, parts=2)
    build(config)
    with pytest.raises(PairsError, match=r"part 0 of 2 is finished in .*vision-zero join-pairs"):
        build(config)


def test_a_part_with_other_settings_is_refused(tmp_path):
    config = settings(tmp_path, parts=2)
    make_pairs(config, part_folder(config) / "made")
    other = settings(tmp_path, parts=2, seed=1)
    with pytest.raises(PairsError, match="was begun with other settings or source files: set them back, or delete it"):
        make_pairs(other, part_folder(other) / "made")


def test_source_files_that_change_while_a_part_is_built_are_noticed(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.effect_noise((64, 64), 80).convert("RGB").save(photos / "one.png")
    config = BuildPairsConfig(
        domain="photos", train=1, held_out=1, pairs_per_file=1, parts=2, folder=str(tmp_path), photos={"location": str(photos)}
    )
    folder = part_folder(config)
    with part_in_work(config, folder):
        Image.effect_noise((64, 64), 80).convert("RGB").save(photos / "two.png")
    with pytest.raises(PairsError, match="was begun with other settings or source files"):
        finish_part(config, folder, Verdict(checked=0, passed=0, expectations=()), pa.table({}))
    assert not (folder / "part.json").exists()


def test_records_of_a_part_that_are_broken_are_one_line(tmp_path):
    config = settings(tmp_path, parts=2)
    make_pairs(config, part_folder(config) / "made")
    (part_folder(config) / "begun.json").write_text("{")
    with pytest.raises(PairsError, match=r"begun\.json holds no Begun of this version"):
        make_pairs(config, part_folder(config) / "made")
    (part_folder(config) / "part.json").write_text("{}")
    with pytest.raises(PairsError, match=r"part\.json holds no PartRecord of this version"):
        join_parts(tmp_path, tmp_path / "joined")


def test_what_is_missing_unfinished_or_different_is_named(tmp_path):
    with pytest.raises(PairsError, match="there are no parts in"):
        join_parts(tmp_path, tmp_path / "joined")
    build(settings(tmp_path, parts=4, part=2))
    with pytest.raises(PairsError, match="of 4 parts these are missing: 0, 1, 3; run build_pairs for each"):
        join_parts(tmp_path, tmp_path / "joined")
    begun = settings(tmp_path, parts=4, part=3)
    make_pairs(begun, part_folder(begun) / "made")
    with pytest.raises(PairsError, match="not finished: part-00003-of-00004; run build_pairs again for each"):
        join_parts(tmp_path, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_parts_of_other_settings_and_broken_files_are_named(tmp_path):
    build(settings(tmp_path, parts=2))
    build(settings(tmp_path, parts=2, part=1, seed=1))
    with pytest.raises(PairsError, match="part-00001-of-00002: built with other settings or source files than part-00000-of"):
        join_parts(tmp_path, tmp_path / "joined")
    first = PairShards(tmp_path / "part-00000-of-00002" / "pairs").files()[0]
    build(settings(tmp_path / "same", parts=2))
    build(settings(tmp_path / "same", parts=2, part=1))
    broken = PairShards(tmp_path / "same" / "part-00001-of-00002" / "pairs").files()[0]
    broken.write_bytes(first.read_bytes()[:100])
    with pytest.raises(PairsError, match="is not as its part recorded it: delete the part"):
        join_parts(tmp_path / "same", tmp_path / "joined")
    (tmp_path / "same" / "part-00001-of-00002" / "identities.parquet").write_bytes(b"PAR1")
    with pytest.raises(PairsError, match=r"identities\.parquet cannot be read \(.*\): delete the part"):
        join_parts(tmp_path / "same", tmp_path / "joined")


def test_a_folder_that_holds_something_else_is_not_replaced(tmp_path):
    parts, mine = tmp_path / "parts", tmp_path / "mine"
    for part in range(2):
        build(settings(parts, train=4, held_out=0, pairs_per_file=2, parts=2, part=part))
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    before = files_below(tmp_path)
    for target in (parts, tmp_path, mine, mine / "notes.txt"):
        with pytest.raises(PairsError, match="holds something that was not joined there: nothing is touched"):
            join_parts(parts, target)
    with pytest.raises(PairsError, match=r"notes\.txt/joined cannot be written: .*; make room there, or name another folder"):
        join_parts(parts, mine / "notes.txt" / "joined")
    (mine / "manifest.json").write_text('{"name": "another"}')
    with pytest.raises(PairsError, match="holds no Manifest of this version"):
        join_parts(parts, mine)
    (mine / "manifest.json").unlink()
    assert files_below(tmp_path) == before


def test_more_parts_than_files_are_refused(tmp_path):
    config = settings(tmp_path, parts=20, part=19)
    with pytest.raises(PairsError, match="there are only 7 files of 3 pairs for 20 parts: lower parts or pairs_per_file"):
        make_pairs(config, part_folder(config) / "made")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parts": 2, "part": 2}, "part is 2, but parts are counted from 0 to 1"),
        ({"parts": 2, "domain": "imported", "imported": {"location": "x"}}, "one run reads them in order: leave parts out"),
    ],
)
def test_parts_that_cannot_be_are_refused(changes, words, tmp_path):
    with pytest.raises(ValidationError, match=words):
        settings(tmp_path, **changes)


def test_the_command_says_what_it_joined(tmp_path):
    for part in range(2):
        build(settings(tmp_path, parts=2, part=part))
    told = CliRunner().invoke(cli, ["join-pairs", str(tmp_path)], catch_exceptions=False).output
    manifest = Manifest.model_validate_json((tmp_path / "joined" / "manifest.json").read_bytes())
    assert told.startswith(f"{manifest.passed} of 19 pairs of 2 parts passed (")
    assert f"{len(manifest.files)} files in " in told
