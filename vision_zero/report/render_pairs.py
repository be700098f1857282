"""``vision-zero render`` and ``gallery``: write pairs as files, one after the other, so that memory does not grow with their
number, and gallery images: pairs side by side, with the changed regions outlined and the changes in words."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from textwrap import wrap

import matplotlib
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError

from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import png_bytes
from vision_zero.data.shards import ShardWriter, write_pairs
from vision_zero.data.source import PairSource
from vision_zero.data.source_report import SourceReport
from vision_zero.data.splits import EVERYTHING
from vision_zero.data.table import PairTable
from vision_zero.domains.order import Order
from vision_zero.domains.registry import DOMAINS, base_of, domain_of
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed
from vision_zero.report.gallery import gallery_page

TABLE = "pairs.parquet"
SHOWN = 48
"""Pairs on the gallery page."""
ON_SHEET = 6
"""Pairs on the gallery image."""
_OF_EACH = 2
"""Pairs of each other domain that are imported as examples of imported pairs."""
COLUMNS = 2
"""Pairs in one row."""
WIDTH, HEIGHT = 240, 180
"""Largest width and height of an image, in pixels."""
GAP = 12
TEXT = 12
LEADING = 3
"""Height of a line of text, in pixels."""
LINES = 3
"""Lines of text under a pair; longer texts are truncated."""
INK, PAPER, OUTLINE = (28, 36, 48), (255, 255, 255), (255, 45, 120)
MOST_BYTES = 400_000
"""Size in bytes above which the file uses a palette of 256 colours."""
LINE, CLEAR = 2, 2
"""Width of an outline, and its distance from the changed region, in pixels."""
_LETTERS = 74


@dataclass(frozen=True)
class Rendered:
    """The number of pairs, the report of their source if it has a location, and how many PNG files were in the folder before and
    belong to none of these pairs."""

    total: int
    report: SourceReport | None
    older: int


def render_into(folder: Path, order: Order, sheet: Path | None = None) -> Rendered:
    """Write pairs into a folder: two PNG files per pair, a parquet file, a gallery page, and optionally ``sheet``, the gallery as
    an image.

    Returns:
        What was made; imported pairs may be fewer than requested.

    Raises:
        PairsError: the settings do not fit the domain, or the folder cannot be written.
    """
    older = set(folder.glob("*.png"))
    source = source_for(order)
    pairs = islice(source.each(Seed(order.seed).child("render", order.domain)), order.count)
    shown: list[ImagePair] = []
    used: set[str] = set()
    try:
        with ShardWriter(folder, "pairs", order.count) as writer:
            write_pairs(enumerate(_written(pairs, folder, shown, used, older)), "train", writer)
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
        raise PairsError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    return Rendered(total, report, len(older))


def _written(
    pairs: Iterator[ImagePair], folder: Path, shown: list[ImagePair], used: set[str], older: set[Path]
) -> Iterator[ImagePair]:
    """Yield the pairs after writing each as two files, which are dropped from ``older``; the first are kept for the gallery."""
    for pair in pairs:
        used.add(base_of(pair))
        for side, image in (("original", pair.original), ("modified", pair.modified)):
            path = folder / f"{pair.pair_id}_{side}.png"
            path.write_bytes(png_bytes(image))
            older.discard(path)
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
    domain = domain_of(order.domain)
    try:
        return domain.source(domain.settings_for(order), EVERYTHING)
    except ValidationError as error:
        problem = error.errors()[0]
        place = f"{problem['loc'][0]}: " if problem["loc"] else ""
        raise PairsError(f"{order.domain} cannot be made with these settings: {place}{problem['msg']}") from error


def write_galleries(folder: Path) -> list[Path]:
    """Write ``gallery_<domain>.png`` for each domain that has examples; the same files every time.

    Raises:
        PairsError: the folder cannot be written.
    """
    sheets = []
    with tempfile.TemporaryDirectory(prefix="vision-zero-gallery-") as scratch:
        existing = Path(scratch) / "existing"
        existing.mkdir()
        for domain in sorted(DOMAINS.values(), key=lambda domain: domain.needs_location):
            if domain.gallery is None:
                continue
            order = replace(domain.gallery, count=ON_SHEET, location=str(existing) if domain.needs_location else None)
            sheet = folder / f"gallery_{domain.name}.png"
            drawn = Path(scratch) / domain.name
            render_into(drawn, order, sheet)
            sheets.append(sheet)
            for path in sorted(drawn.glob("*_original.png"))[:_OF_EACH]:
                for side in ("original", "modified"):
                    name = path.name.replace("_original.png", f"_{side}.png")
                    shutil.copyfile(drawn / name, existing / name)
    return sheets


def draw_sheet(pairs: Sequence[ImagePair]) -> Image.Image:
    """A sheet of pairs."""
    rows = [pairs[first : first + COLUMNS] for first in range(0, len(pairs), COLUMNS)]
    words = [[_words(pair) for pair in row] for row in rows]
    # A row is as high as the longest of its texts.
    heights = [HEIGHT + GAP // 2 + max(len(lines) for lines in row) * (TEXT + LEADING) for row in words]
    across = 2 * WIDTH + GAP // 2
    sheet = Image.new("RGB", (COLUMNS * (across + 2 * GAP), sum(heights) + (2 * len(rows)) * GAP), PAPER)
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), TEXT)
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for row, texts, height in zip(rows, words, heights, strict=True):
        for place, (pair, lines) in enumerate(zip(row, texts, strict=True)):
            left = GAP + place * (across + 2 * GAP)
            for side, image in enumerate((pair.original, pair.modified)):
                sheet.paste(_shown(image, pair), (left + side * (WIDTH + GAP // 2), top))
            draw.multiline_text((left, top + HEIGHT + GAP // 2), "\n".join(lines), fill=INK, font=font, spacing=LEADING)
        top += height + 2 * GAP
    return sheet


def _words(pair: ImagePair) -> list[str]:
    return wrap("; ".join(change.sentence() for change in pair.changes), _LETTERS, max_lines=LINES, placeholder=" …")


def sheet_bytes(sheet: Image.Image) -> bytes:
    """The sheet as a PNG file of limited size."""
    whole = png_bytes(sheet, optimize=True)
    if len(whole) <= MOST_BYTES:
        return whole
    return png_bytes(sheet.quantize(palette=sheet.quantize(256), dither=Image.Dither.FLOYDSTEINBERG), optimize=True)


def _shown(image: Image.Image, pair: ImagePair) -> Image.Image:
    """The image at its size on the sheet, with the changed regions outlined."""
    scale = min(WIDTH / image.width, HEIGHT / image.height)
    shown = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(shown)
    away = CLEAR + LINE
    for change in pair.changes:
        left, top, right, bottom = (round(edge * scale) for edge in change.box)
        # A region at the image's border is outlined along it.
        corners = (max(0, left - away), max(0, top - away)), (min(shown.width, right + away), min(shown.height, bottom + away))
        draw.rectangle((*corners[0], corners[1][0] - 1, corners[1][1] - 1), outline=OUTLINE, width=LINE)
    return shown
