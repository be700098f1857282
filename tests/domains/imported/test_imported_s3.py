"""Pairs in a bucket, and everything that goes wrong on the way; the server runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.odd_images import scenery
from tests.data.s3_server import allow, forbid, options, s3_server
from tests.domains.imported.test_imported_files import changed, folder, sound
from tests.faults import CONTENT, LISTING, Fault, Kind, faulty_line
from vision_zero.data.remote_storage import ConnectionLostError, Storage
from vision_zero.data.storage_config import StorageConfig
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

pytestmark = [pytest.mark.s3, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(server: str, tmp_path: Path) -> str:
    """The address of a server whose bucket holds pairs 0 to 3 below s3://pairs/files, and the same as parquet."""
    allow(server)
    root = folder(tmp_path / "made", {str(number): sound(number) for number in range(4)})
    rows = [dict(zip(("original", "modified"), sound(number), strict=True)) for number in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet", row_group_size=2)
    files = fsspec.filesystem("s3", **options(server))
    files.put(root, "pairs/files", recursive=True)
    files.put(str(tmp_path / "rows.parquet"), "pairs/table/rows.parquet")
    return server


def config(url: str, cache: Path, location: str = "s3://pairs/files", **settings: Any) -> ImportedConfig:
    storage = StorageConfig(options=options(url), cache=str(cache), wait_s=0.01, **settings)
    return ImportedConfig(location=location, storage=storage)


@pytest.mark.parametrize("location", ["s3://pairs/files", "s3://pairs/table", "s3://pairs/table/rows.parquet"])
def test_pairs_of_a_bucket_are_those_of_a_folder(bucket: str, tmp_path: Path, location: str) -> None:
    made = ImportedSource(config(bucket, tmp_path / "cache", location))
    pairs = [made.sample(Seed(place)) for place in range(12)]
    assert {pair.original.tobytes() for pair in pairs} == {scenery(seed=number).tobytes() for number in range(4)}
    assert made.problems == {}


def test_files_are_fetched_once(bucket: str, tmp_path: Path) -> None:
    first = ImportedSource(config(bucket, tmp_path / "cache")).sample(Seed(1))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(kept) == 2
    again = ImportedSource(config(bucket, tmp_path / "cache")).sample(Seed(1))
    assert again.original.tobytes() == first.original.tobytes()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == kept


def test_files_that_changed_are_fetched_anew(bucket: str, tmp_path: Path) -> None:
    before = Storage("s3://pairs/files", config(bucket, tmp_path / "cache").storage).read("0_original.png")
    fsspec.filesystem("s3", **options(bucket)).pipe_file("pairs/files/0_original.png", before[::-1])
    after = Storage("s3://pairs/files", config(bucket, tmp_path / "cache").storage).read("0_original.png")
    assert after == before[::-1]


def test_only_the_end_of_a_parquet_file_is_read_to_know_it(bucket: str, tmp_path: Path) -> None:
    made = ImportedSource(config(bucket, tmp_path / "cache", "s3://pairs/table"))
    assert len(made) == 4
    assert not (tmp_path / "cache").exists()
    made.sample(Seed(1))
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_the_empty_objects_that_stand_for_folders_are_no_files(bucket: str, tmp_path: Path) -> None:
    files = fsspec.filesystem("s3", **options(bucket))
    for key in ("marked/", "marked/sub/", "marked/sub/deeper/"):
        files.call_s3("put_object", Bucket="pairs", Key=key, Body=b"")
    original, modified = sound()
    files.pipe({"pairs/marked/sub/1_original.png": original, "pairs/marked/sub/1_modified.png": modified})
    for location in ("s3://pairs/marked", "s3://pairs/marked/", "s3://pairs/marked/sub"):
        made = ImportedSource(config(bucket, tmp_path / "cache", location))
        assert made.sample(Seed(1)).modified.tobytes() == changed(scenery()).tobytes()
        assert (made.report().files, made.report().left_out) == (2, {})


def test_large_files_come_in_ranges(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision_zero.data.remote_storage.RANGE", 1000)
    pair = ImportedSource(config(bucket, tmp_path / "cache")).sample(Seed(1))
    assert pair.modified.tobytes() == changed(pair.original).tobytes()


def test_a_missing_bucket_is_an_error(bucket: str, tmp_path: Path) -> None:
    for location in ("s3://nosuch", "s3://nosuch/files", "s3://pairs/nothing"):
        with pytest.raises(PairsError, match=f"{location}: there is no such folder, bucket or file") as raised:
            ImportedSource(config(bucket, tmp_path, location))
        assert "\n" not in str(raised.value)


def test_missing_permission_is_an_error(bucket: str, tmp_path: Path) -> None:
    made = ImportedSource(config(bucket, tmp_path))
    forbid(bucket)
    with pytest.raises(PairsError, match="no permission") as raised:
        ImportedSource(config(bucket, tmp_path))
    assert "\n" not in str(raised.value)
    with pytest.raises(PairsError, match=r"found no usable pair .* no permission"):
        made.sample(Seed(1))


def test_missing_credentials_are_an_error(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    storage = StorageConfig(options={"client_kwargs": {"endpoint_url": bucket}}, wait_s=0.01)
    with pytest.raises(PairsError, match=r"no permission .*set the credentials"):
        ImportedSource(ImportedConfig(location="s3://pairs/files", storage=storage))


@pytest.mark.parametrize("path", [LISTING, CONTENT], ids=["listing", "content"])
@pytest.mark.parametrize("kind", ["500", "503", "slow", "reset", "cut answer"])
def test_a_few_faults_are_survived(bucket: str, tmp_path: Path, kind: Kind, path: str) -> None:
    fault = Fault(kind, "GET", path, times=3)
    with faulty_line(bucket, fault) as line:
        made = ImportedSource(config(line.url, tmp_path / "cache"))
        pair = made.sample(Seed(1))
    assert line.met[fault] > (0 if kind == "slow" else 2)
    assert pair.original.tobytes() == ImportedSource(config(bucket, tmp_path)).sample(Seed(1)).original.tobytes()
    assert made.problems == {}


@pytest.mark.parametrize("kind", ["500", "reset", "cut answer"])
def test_a_fault_that_stays_is_an_error_and_no_problem_of_the_pair(bucket: str, tmp_path: Path, kind: Kind) -> None:
    with faulty_line(bucket, Fault(kind, "GET", CONTENT)) as line:
        made = ImportedSource(config(line.url, tmp_path / "cache", attempts=2))
        with pytest.raises(ConnectionLostError, match=r"cannot be read, tried 2 times") as raised:
            made.sample(Seed(1))
        assert "\n" not in str(raised.value)
        assert made.problems == {}
        assert list((tmp_path / "cache").iterdir()) == [], "nothing half is kept"
        line.faults = ()
        assert made.sample(Seed(1)).original.tobytes() in {scenery(seed=number).tobytes() for number in range(4)}


def test_a_server_that_is_gone_is_an_error(server: str, tmp_path: Path) -> None:
    with pytest.raises(ConnectionLostError, match=r"s3://pairs/files: cannot be read, tried 1 times") as raised:
        ImportedSource(config("http://127.0.0.1:9", tmp_path, attempts=1))
    assert "\n" not in str(raised.value)
