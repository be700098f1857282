"""Single images in a bucket are those of a folder; the server runs on this machine."""

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.odd_images import encoded, scenery
from tests.data.s3_server import allow, options, s3_server
from vision_zero.data.storage_config import StorageConfig
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.domains.pictures.source import PictureSource
from vision_zero.domains.registry import base_of
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

pytestmark = [pytest.mark.s3, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A bucket with four sound images and a broken one below s3://photos/files, and three as rows of a table."""
    made = tmp_path_factory.mktemp("made")
    (made / "files").mkdir()
    for number in range(4):
        scenery(60, 50, seed=number).save(made / "files" / f"{number}.png")
    (made / "files" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    cells = [encoded(scenery(60, 50, seed=number), "PNG") for number in range(3)]
    pq.write_table(pa.table({"photo": cells}), made / "train.parquet")
    with s3_server() as url:
        allow(url)
        bucket = fsspec.filesystem("s3", **options(url))
        bucket.put(str(made / "files"), "photos/files", recursive=True)
        bucket.put(str(made / "train.parquet"), "photos/table/train.parquet")
        yield url


def source_at(server, location, cache):
    return PictureSource(
        PicturesConfig(location=location, column="photo", storage=StorageConfig(options=options(server), cache=str(cache)))
    )


def shown(source, turns):
    order = Seed(5)
    return [source.at(turn, order.child(turn), order) for turn in range(turns)]


@pytest.mark.parametrize(("location", "number"), [("s3://photos/files", 4), ("s3://photos/table", 3)])
def test_each_image_of_a_bucket_comes_once(server, tmp_path, location, number):
    pairs = shown(source_at(server, location, tmp_path), number)
    assert len({base_of(pair) for pair in pairs}) == number
    assert {pair.original.tobytes() for pair in pairs} == {scenery(60, 50, seed=seed).tobytes() for seed in range(number)}
    assert all(pair.modified.getcolors() == [(60 * 50, (255, 255, 255))] for pair in pairs)


def test_what_is_broken_in_a_bucket_is_skipped_and_named(server, tmp_path):
    source = source_at(server, "s3://photos/files", tmp_path)
    shown(source, 5)
    assert set(source.problems) == {"broken.png"}


def test_a_bucket_that_is_not_there_is_one_line(server, tmp_path):
    with pytest.raises(PairsError, match="no such folder, bucket or file") as raised:
        source_at(server, "s3://nowhere/files", tmp_path)
    assert "\n" not in str(raised.value)
