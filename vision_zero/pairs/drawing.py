"""Pairs as files: what ``vision-zero render`` writes."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from vision_zero.config.pairs import ChartsConfig, ScenesConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.charts.source import ChartSource
from vision_zero.pairs.image_pair import ImagePair
from vision_zero.pairs.pictures import png_bytes
from vision_zero.pairs.scenes.source import SceneSource
from vision_zero.pairs.source import PairSource
from vision_zero.pairs.table import PairTable
from vision_zero.randomness import Seed
from vision_zero.report.gallery import gallery_page

TABLE = "pairs.parquet"
_SMALL = 160
"""Below this many pixels on a side, scenes are framed closer and charts are drawn compact."""


def draw_into(folder: Path, domain: str, count: int, size: tuple[int, int], seed: int) -> None:
    """Draw pairs into a folder: two PNG files a pair, the table, and a gallery.

    Raises:
        PairsError: the domain cannot be drawn at that size, or the folder cannot be written.
    """
    source = _source(domain, size)
    pairs = [source.sample(Seed(seed).child("render", domain, number)) for number in range(count)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for pair in pairs:
            (folder / f"{pair.pair_id}_original.png").write_bytes(png_bytes(pair.original))
            (folder / f"{pair.pair_id}_modified.png").write_bytes(png_bytes(pair.modified))
        PairTable.from_pairs(enumerate(pairs), "train").write(folder / TABLE)
        (folder / "gallery.html").write_text(gallery_page(f"{count} pairs of {domain}", pairs, count), encoding="utf-8")
    except OSError as error:
        raise PairsError(f"{folder} cannot be written: {error}") from error


def read_folder(folder: Path) -> list[ImagePair]:
    """The pairs that :func:`draw_into` wrote.

    Raises:
        PairsError: the folder has no table, or no pairs, or a picture in it is broken.
    """
    if not (folder / TABLE).is_file():
        raise PairsError(f"{folder} has no {TABLE}: make one with vision-zero render --out {folder}")
    pairs = list(PairTable.read(folder / TABLE).pairs())
    if not pairs:
        raise PairsError(f"{folder / TABLE} is empty: draw at least one pair")
    return pairs


def _source(domain: str, size: tuple[int, int]) -> PairSource:
    width, height = size
    is_small = min(size) < _SMALL
    try:
        if domain == "scenes":
            framed = {"extent": 2.0, "zoom": 1.5, "min_visible_share": 0.4} if is_small else {}
            return SceneSource(ScenesConfig(width=width, height=height, **framed))
        return ChartSource(ChartsConfig(width=width, height=height, style="compact" if is_small else "full"))
    except ValidationError as error:
        raise PairsError(f"{domain} cannot be drawn at {width}x{height}: {error.errors()[0]['msg']}") from error
