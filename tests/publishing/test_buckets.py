"""A policy in a bucket: whole, or not there; what was published before is replaced in one stroke, whatever fails on the way."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.data.s3_server import allow, forbid, impatient, options, s3_server
from tests.faults import Fault, Kind, faulty_line
from tests.make import write_tiny_adapter
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.publish import PublishConfig
from vision_zero.errors import PublishError
from vision_zero.policy.folder import BaseFolder, PolicyFolder
from vision_zero.policy.loading import load_policy
from vision_zero.publishing.build import build
from vision_zero.publishing.manifest import CONTENTS
from vision_zero.publishing.targets import deliver

pytestmark = [pytest.mark.s3, pytest.mark.slow]

TARGET = "s3://pairs/policies/one"
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def server():
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(server):
    """The server's files, with nothing published yet."""
    allow(server)
    files = fsspec.filesystem("s3", **options(server))
    if files.exists(TARGET):
        files.rm(TARGET, recursive=True)
    return files


@pytest.fixture(scope="module")
def built(tiny_base, tmp_path_factory):
    """Two policies, the first of which is published first."""
    folder = tmp_path_factory.mktemp("buckets")
    trained = PolicyFolder(write_tiny_adapter(tiny_base, folder / "policy"))
    config = PublishConfig(model="spy", form="adapter")
    return [build(config, trained, f"# card {number}\n", folder / str(number)) for number in range(2)]


def published(url: str, **given: Any) -> PublishConfig:
    return PublishConfig(model="spy", **{"target": TARGET, "options": options(url), **given})


def names(files) -> set[str]:
    files.invalidate_cache()
    return {path.removeprefix("pairs/policies/one/") for path in files.find(TARGET)}


def is_full(files, folder: Path, expected: BaseFolder, tiny_base: Path) -> bool:
    """Fetch what counts as a reader would, check every hash, and load it; is it this one?"""
    files.invalidate_cache()
    contents = json.loads(files.cat_file(f"{TARGET}/{CONTENTS}"))
    folder.mkdir()
    for name, facts in contents["files"].items():
        data = files.cat_file(f"{TARGET}/{contents['folder']}/{name}")
        assert (len(data), hashlib.sha256(data).hexdigest()) == (facts["bytes"], facts["sha256"]), name
        (folder / name).write_bytes(data)
    load_policy(PolicyConfig(base=str(tiny_base)), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: (expected.path / name).read_bytes() for name in expected.files()
    }


def test_a_bucket_gets_a_folder_and_what_it_holds(built, bucket, server, tiny_base, tmp_path):
    address = deliver(built[0], published(server)).address
    assert address.startswith(f"{TARGET}/")
    assert {path.rsplit("/", 1)[1] for path in bucket.find(address)} == {*built[0].files(), CONTENTS}
    assert is_full(bucket, tmp_path / "first", built[0], tiny_base)
    with pytest.raises(PublishError, match="holds something already"):
        deliver(built[1], published(server))
    assert is_full(bucket, tmp_path / "still", built[0], tiny_base)


def test_a_new_policy_takes_the_place_of_the_one_before_and_of_nothing_else(built, bucket, server, tiny_base, tmp_path):
    before = deliver(built[0], published(server))
    for name in ("notes.txt", "other/model.safetensors"):
        bucket.pipe_file(f"{TARGET}/{name}", b"mine")
    after = deliver(built[1], published(server, replace=True))
    assert after.address != before.address
    assert after.kept == ("notes.txt", "other")
    assert is_full(bucket, tmp_path / "second", built[1], tiny_base)
    own = after.address.rsplit("/", 1)[1]
    published_files = {CONTENTS, f"{own}/{CONTENTS}", *(f"{own}/{name}" for name in built[1].files())}
    assert names(bucket) == {*published_files, "notes.txt", "other/model.safetensors"}
    assert deliver(built[1], published(server, replace=True)).address == after.address
    assert is_full(bucket, tmp_path / "again", built[1], tiny_base)


def test_a_published_object_of_another_size_is_not_replaced(built, bucket, server):
    address = deliver(built[0], published(server)).address
    bucket.pipe_file(f"{address}/README.md", b"my own notes")
    with pytest.raises(PublishError, match=r"holds README.md, which changed since it was published there: nothing is touched"):
        deliver(built[1], published(server, replace=True))
    assert bucket.cat_file(f"{address}/README.md") == b"my own notes"


@pytest.mark.parametrize("target", [TARGET, "s3://pairs"])
def test_a_prefix_where_nothing_was_published_keeps_what_it_holds(built, bucket, server, target):
    bucket.pipe_file(f"{TARGET}/notes.txt", b"mine")
    bucket.touch(f"{TARGET}/")
    before = set(bucket.find("pairs"))
    with pytest.raises(PublishError, match=r"that was not published there .*: nothing is touched"):
        deliver(built[0], published(server, target=target, replace=True))
    bucket.invalidate_cache()
    assert set(bucket.find("pairs")) == before
    bucket.rm(TARGET, recursive=True)


def test_a_policy_of_an_earlier_version_is_replaced_file_by_file(built, bucket, server, tiny_base, tmp_path):
    """Its folder has no list of its own; the one above it names the files."""
    before = deliver(built[0], published(server)).address
    bucket.rm_file(f"{before}/{CONTENTS}")
    deliver(built[1], published(server, replace=True))
    bucket.invalidate_cache()
    assert not bucket.exists(before)
    assert is_full(bucket, tmp_path / "second", built[1], tiny_base)


def test_a_bucket_that_refuses_or_is_missing_is_one_line(built, server):
    with pytest.raises(PublishError, match="cannot be written") as caught:
        deliver(built[0], PublishConfig(model="spy", target="s3://nowhere/policy", options=options(server)))
    assert "\n" not in str(caught.value)
    forbid(server)
    with pytest.raises(PublishError, match="check the address, the credentials"):
        deliver(built[0], published(server))
    allow(server)


@pytest.mark.parametrize("kind", ["500", "503", "slow", "reset", "cut upload", "lost answer"])
def test_a_few_faults_are_survived(built, bucket, server, tiny_base, tmp_path, kind: Kind):
    fault = Fault(kind, "PUT", WEIGHTS, times=2)
    with faulty_line(server, fault) as line:
        deliver(built[0], published(line.url))
    assert line.met[fault] > (0 if kind == "slow" else 1)
    assert is_full(bucket, tmp_path / "policy", built[0], tiny_base)


@pytest.mark.parametrize("path", [WEIGHTS, CONTENTS], ids=["weights", "contents"])
@pytest.mark.parametrize("kind", ["500", "reset", "cut upload"])
def test_a_fault_that_stays_leaves_what_was_published_and_the_same_again_works(
    built, bucket, server, tiny_base, tmp_path, kind: Kind, path: str
):
    deliver(built[0], published(server))
    with faulty_line(server, Fault(kind, "PUT", path)) as line:
        config = published(line.url, options=impatient(line.url), replace=True)
        with pytest.raises(PublishError, match=r"cannot be written: .*: what was published there before stands") as caught:
            deliver(built[1], config)
        assert "\n" not in str(caught.value)
        assert is_full(bucket, tmp_path / "before", built[0], tiny_base)
        line.faults = ()
        deliver(built[1], config)
    assert is_full(bucket, tmp_path / "after", built[1], tiny_base)


def test_a_first_upload_that_is_lost_is_no_policy_and_the_same_again_works(built, bucket, server, tiny_base, tmp_path):
    with faulty_line(server, Fault("cut upload", "PUT", WEIGHTS)) as line:
        config = published(line.url, options=impatient(line.url))
        with pytest.raises(PublishError, match="cannot be written"):
            deliver(built[0], config)
        assert bucket.find(TARGET)
        assert not bucket.exists(f"{TARGET}/{CONTENTS}")
        line.faults = ()
        deliver(built[0], config)
    assert is_full(bucket, tmp_path / "policy", built[0], tiny_base)


def test_what_a_cut_off_upload_left_is_removed_by_the_next_policy(built, bucket, server, tiny_base, tmp_path):
    with faulty_line(server, Fault("cut upload", "PUT", WEIGHTS)) as line:
        with pytest.raises(PublishError, match="cannot be written"):
            deliver(built[0], published(line.url, options=impatient(line.url)))
        line.faults = ()
        deliver(built[1], published(line.url))
    assert is_full(bucket, tmp_path / "policy", built[1], tiny_base)
    assert {name.split("/")[0] for name in names(bucket)} == {
        CONTENTS,
        json.loads(bucket.cat_file(f"{TARGET}/{CONTENTS}"))["folder"],
    }


def test_what_cannot_be_removed_is_said_and_the_new_policy_counts(built, bucket, server, tiny_base, tmp_path):
    before = deliver(built[0], published(server)).address
    with faulty_line(server, Fault("500", "DELETE")) as line:
        config = published(line.url, options=impatient(line.url), replace=True)
        with pytest.raises(PublishError, match=r"is published, but what was there before cannot be removed: .*: run again"):
            deliver(built[1], config)
        assert is_full(bucket, tmp_path / "policy", built[1], tiny_base)
        line.faults = ()
        deliver(built[1], config)
    bucket.invalidate_cache()
    assert not bucket.exists(before)


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A model too large for one request: s3fs sends it in parts, of 5 MB here instead of 50."""
    monkeypatch.setattr("s3fs.core.calculate_chunksize", lambda *_, **__: 5 * 2**20)
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights " * (11 * 2**17))
    return BaseFolder(folder)


@pytest.mark.parametrize("kind", ["500", "cut upload"])
def test_a_part_that_is_lost_is_sent_again(bucket, server, large, kind: Kind):
    fault = Fault(kind, "PUT", "partNumber=2", times=2)
    with faulty_line(server, fault) as line:
        address = deliver(large, published(line.url)).address
    assert line.met[fault] == 2
    assert bucket.cat_file(f"{address}/model.safetensors") == (large.path / "model.safetensors").read_bytes()


def test_parts_that_stay_lost_leave_nothing_of_themselves(built, bucket, server, large, tiny_base, tmp_path):
    deliver(built[0], published(server))
    lost = pytest.raises(PublishError, match="what was published there before stands")
    with faulty_line(server, Fault("cut upload", "PUT", "partNumber=2")) as line, lost:
        deliver(large, published(line.url, options=impatient(line.url), replace=True))
    assert is_full(bucket, tmp_path / "before", built[0], tiny_base)
    assert bucket.call_s3("list_multipart_uploads", Bucket="pairs").get("Uploads", []) == []
