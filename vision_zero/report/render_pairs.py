"""``vision-zero render``: writes pairs as files, one after the other, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vision_zero.config.imported import ImportedConfig
from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.config.pairs import ChartsConfig, ScenesConfig
from vision_zero.config.photos import PhotosConfig
from vision_zero.config.pictures import PicturesConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.data.image_pair import Domain, ImagePair, base_of
from vision_zero.data.images import png_bytes
from vision_zero.data.shards import ShardWriter, write_pairs
from vision_zero.data.source import PairSource
from vision_zero.data.source_report import SourceReport
from vision_zero.data.table import PairTable
from vision_zero.domains.build import source_of
from vision_zero.errors import PairsError
from vision_zero.randomness import HELD_OUT_SEEDS, Seed
from vision_zero.report.contact_sheet import draw_sheet, sheet_bytes
from vision_zero.report.gallery import gallery_page

TABLE = "pairs.parquet"
SHOWN = 48
"""Pairs on the gallery page."""
ON_SHEET = 6
"""Pairs on the gallery image."""
USUAL_SIZE = (320, 240)
_SMALL = 160
"""Below this side length in pixels, the camera of scenes is closer and charts are compact."""


@dataclass(frozen=True)
class Rendered:
    """The result: the number of pairs, and the report of their source if it has a location."""

    total: int
    report: SourceReport | None


@dataclass(frozen=True)
class Order:
    """Which pairs to make.

    Attributes:
        size: width and height in pixels; None for 320x240, or for the size that imported pairs have.
        location: of ChartQA, photos, single images or pairs; None for procedural charts, and the photos in dependencies.
        edits: kinds of edit, with equal frequency; empty for the source's default.
        changes: number of objects that an edit changes; None for the source's default.
        reading: further settings for reading photos or imported pairs, as in their configuration.

    Raises:
        PairsError: the seed is reserved for suites.
    """

    domain: Domain
    count: int
    size: tuple[int, int] | None = None
    seed: int = 0
    location: str | None = None
    edits: tuple[str, ...] = ()
    changes: int | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seed >= HELD_OUT_SEEDS.start:
            raise PairsError(
                f"seed {self.seed} is reserved for suites, whose images must not be used elsewhere: take "
                f"one below {HELD_OUT_SEEDS.start}"
            )


def render_into(folder: Path, order: Order, sheet: Path | None = None) -> Rendered:
    """Write pairs into a folder: two PNG files per pair, a parquet file, a gallery page, and optionally ``sheet``, the gallery as
    an image.

    Returns:
        The number of pairs (imported ones may be fewer than requested), and the report of the source.

    Raises:
        PairsError: the settings do not fit the domain, or the folder cannot be written.
    """
    source = source_for(order)
    pairs = islice(source.each(Seed(order.seed).child("render", order.domain)), order.count)
    shown: list[ImagePair] = []
    used: set[str] = set()
    try:
        with ShardWriter(folder, "pairs", order.count) as writer:
            write_pairs(enumerate(_written(pairs, folder, shown, used)), "train", writer)
            report = source.report()
            if report is not None:
                report = report.model_copy(update={"used": len(used)})
                writer.reports = (report,)
        if not shown:
            raise PairsError("; ".join(["there are no pairs to draw", *(report.lines() if report is not None else [])]))
        (folder / "pairs-00000.parquet").rename(folder / TABLE)
        total = len(PairTable.read(folder / TABLE))
        page = gallery_page(f"Pairs of {order.domain}", shown, total, sources=[] if report is None else [report])
        (folder / "gallery.html").write_text(page, encoding="utf-8")
        if sheet is not None:
            sheet.parent.mkdir(parents=True, exist_ok=True)
            sheet.write_bytes(sheet_bytes(draw_sheet(shown[:ON_SHEET])))
    except OSError as error:
        raise PairsError(f"{folder} cannot be written: {error}") from error
    return Rendered(total, report)


def _written(pairs: Iterator[ImagePair], folder: Path, shown: list[ImagePair], used: set[str]) -> Iterator[ImagePair]:
    """Yield the pairs after writing each as two files, keeping the first ones for the gallery."""
    for pair in pairs:
        used.add(base_of(pair))
        (folder / f"{pair.pair_id}_original.png").write_bytes(png_bytes(pair.original))
        (folder / f"{pair.pair_id}_modified.png").write_bytes(png_bytes(pair.modified))
        if len(shown) < SHOWN:
            shown.append(pair)
        yield pair


def read_folder(folder: Path) -> list[ImagePair]:
    """The pairs that :func:`render_into` wrote.

    Raises:
        PairsError: the folder has no parquet file or no pairs, or an image in it is broken.
    """
    if not (folder / TABLE).is_file():
        raise PairsError(f"{folder} has no {TABLE}: make one with vision-zero render --out {folder}")
    pairs = list(PairTable.read(folder / TABLE).pairs())
    if not pairs:
        raise PairsError(f"{folder / TABLE} is empty: render at least one pair")
    return pairs


def source_for(order: Order) -> PairSource:
    """The source of the requested pairs.

    Raises:
        PairsError: the settings do not fit the source.
    """
    width, height = order.size or USUAL_SIZE
    try:
        return source_of(order.domain, _config(order, width, height, is_small=min(width, height) < _SMALL))
    except ValidationError as error:
        problem = error.errors()[0]
        place = f"{problem['loc'][0]}: " if problem["loc"] else ""
        raise PairsError(f"{order.domain} cannot be made with these settings: {place}{problem['msg']}") from error


def _config(order: Order, width: int, height: int, is_small: bool) -> SourcesConfig:
    common: dict[str, Any] = {"width": width, "height": height}
    if order.domain == "imported":
        if order.location is None:
            raise PairsError("give the location of the pairs to import with --from")
        size = {} if order.size is None else common
        return SourcesConfig(imported=ImportedConfig(location=order.location, **size, **order.reading))
    if order.domain == "pictures":
        if order.edits or order.changes is not None:
            raise PairsError("single images are not edited: leave out --edit and --changes")
        size = {} if order.size is None else common
        return SourcesConfig(pictures=PicturesConfig(location=order.location, **size, **order.reading))
    if order.edits:
        common["edits"] = dict.fromkeys(order.edits, 1.0)
    if order.changes is not None:
        common |= {"min_changes": order.changes, "max_changes": order.changes}
    if order.domain == "photos":
        return SourcesConfig(photos=PhotosConfig(**common, location=order.location, **order.reading))
    if order.reading:
        raise PairsError(
            f"{order.domain} are not read from a location as photos, images or imported pairs are: leave out {_named(order)}"
        )
    if order.domain == "charts":
        return SourcesConfig(charts=ChartsConfig(**common, style="compact" if is_small else "full", chartqa_root=order.location))
    if order.location is not None:
        raise PairsError("scenes are procedural: leave out --from, or render given scenes with --scene")
    usual = NANO_SCENES if is_small else ScenesConfig()
    return SourcesConfig(scenes=ScenesConfig(**{**usual.model_dump(exclude_unset=True), **common}))


def _named(order: Order) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in order.reading)
