"""Pairs in memory and on the disk, for tests of imports."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from PIL import Image

from tests.data.odd_images import scenery
from tests.domains.imported.test_imported_files import changed
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.randomness import Seed


def put(root: Path, files: Mapping[str, bytes]) -> str:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(root)


def pairs_of(made: ImportedSource) -> dict[str, ImagePair]:
    """All usable pairs by id."""
    return {str(pair.original_facts["id"]): pair for pair in made.each(Seed(0))}


def mask(width: int = 160, height: int = 120) -> Image.Image:
    image = Image.new("L", (width, height), 0)
    image.paste(255, (20, 30, 60, 50))
    return image


def assert_sound(pair: ImagePair, seed: int = 0) -> None:
    """The pair that ``sound(seed)`` encodes, the right way round."""
    assert pair.original.tobytes() == scenery(seed=seed).tobytes()
    assert pair.modified.tobytes() == changed(scenery(seed=seed)).tobytes()


def table(path: Path, found: list[dict[str, Any]], group: int = 2) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(found), path, row_group_size=group)
    return str(path.parent)


def cell(data: bytes) -> dict[str, Any]:
    return {"bytes": data, "path": None}


def tar(path: Path, files: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
