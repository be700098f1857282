"""What pairs a location holds: two files with one id, or two columns of a data set."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import final

from vision_zero.config.imported import ImportedConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.imported.shards import Rows, table_paths
from vision_zero.pairs.imported.storage import Storage

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".ppm", ".avif", ".jp2")
COLUMNS = (
    ("original", "modified"),
    ("original_image", "modified_image"),
    ("input_images", "output_images"),
    ("input_image", "edited_image"),
    ("input_image", "output_image"),
    ("original_image", "edited_image"),
    ("source_image", "edited_image"),
    ("source_image", "target_image"),
    ("source_img", "target_img"),
    ("src_img", "trg_img"),
    ("input", "output"),
    ("before", "after"),
)
"""Names of the two columns in data sets that are in use: ours, ImgEdit's, InstructPix2Pix's, HQ-Edit's, MagicBrush's, ..."""
CHANGE_COLUMNS = ("change", "prompt", "edit_prompt", "instruction", "edit_instruction", "edit")
_MEMBER = re.compile(r"(?P<id>.+)_(?P<side>original|modified)", re.IGNORECASE)


@dataclass(frozen=True)
class Made:
    """A pair as it was found: encoded pictures, and what is said about the change."""

    original: bytes
    modified: bytes
    change: str


class PairIndex(ABC):
    """The pairs of a location, known without reading them. ``problems`` holds the reason for each that is not whole, by id."""

    problems: Mapping[str, str]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, place: int) -> str:
        """The id of a pair."""

    @abstractmethod
    def load(self, place: int) -> Made:
        """A pair's pictures.

        Raises:
            PairsError: they cannot be read.
        """


@final
class FileIndex(PairIndex):
    """``<id>_original.*`` and ``<id>_modified.*``, in the location or folders below it: the layout of the released data."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        sides: dict[str, dict[str, list[str]]] = {}
        for path in storage.entries:
            file = PurePosixPath(path)
            member = _MEMBER.fullmatch(str(file.with_suffix("")))
            if member is not None and file.suffix.lower() in PICTURE_SUFFIXES:
                sides.setdefault(member["id"], {}).setdefault(member["side"].lower(), []).append(path)
        if not sides:
            raise PairsError(
                f"{storage.location} holds no pairs: it needs files <id>_original.png and <id>_modified.png, or a data set"
            )
        self.problems = {pair_id: reason for pair_id, found in sides.items() if (reason := _incomplete(found)) is not None}
        self._pairs = [
            (pair_id, found["original"][0], found["modified"][0])
            for pair_id, found in sides.items()
            if pair_id not in self.problems
        ]

    def __len__(self) -> int:
        return len(self._pairs)

    def name(self, place: int) -> str:
        return self._pairs[place][0]

    def load(self, place: int) -> Made:
        _, original, modified = self._pairs[place]
        return Made(self._storage.read(original), self._storage.read(modified), "")


@final
class RowIndex(PairIndex):
    """Two columns of a data set, and one with words where there is one."""

    def __init__(self, storage: Storage, config: ImportedConfig) -> None:
        self._rows = Rows(storage)
        if not len(self._rows):
            raise PairsError(f"the data set in {config.location} has no rows")
        self.problems = {}
        self._original, self._modified = _columns(self._rows.columns, config)
        self._change = config.change_column or next((name for name in CHANGE_COLUMNS if name in self._rows.columns), None)
        if self._change is not None:
            _check_columns((self._change,), self._rows.columns, config.location)

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, place: int) -> str:
        return self._rows.name(place)

    def load(self, place: int) -> Made:
        wanted = [self._original, self._modified] + ([self._change] if self._change is not None else [])
        row = self._rows.row(place, wanted)
        original, modified = (self._rows.picture(place, row[column], column) for column in (self._original, self._modified))
        change = row.get(self._change) if self._change is not None else None
        return Made(original, modified, " ".join(change.split()) if isinstance(change, str) else "")


def open_index(config: ImportedConfig) -> PairIndex:
    """The pairs of the configured location.

    Raises:
        PairsError: it cannot be read or holds no pairs.
    """
    storage = Storage(config.location, config.storage)
    return RowIndex(storage, config) if holds_table(storage, config.layout) else FileIndex(storage)


def holds_table(storage: Storage, layout: str) -> bool:
    """Whether the location is a data set: as the layout says, or for ``auto``, whether there is a file of rows."""
    if layout == "auto":
        return bool(table_paths(storage))
    return layout == "table"


def _incomplete(sides: Mapping[str, list[str]]) -> str | None:
    for side in ("original", "modified"):
        if side not in sides:
            return f"it has no {side} picture"
        if len(sides[side]) > 1:
            return f"it has {len(sides[side])} {side} pictures: {', '.join(sides[side])}"
    return None


def _columns(columns: tuple[str, ...], config: ImportedConfig) -> tuple[str, str]:
    if config.original_column is not None and config.modified_column is not None:
        wanted = (config.original_column, config.modified_column)
        _check_columns(wanted, columns, config.location)
        return wanted
    for pair in COLUMNS:
        if all(name in columns for name in pair):
            return pair
    raise PairsError(
        f"no two columns of {config.location} look like a pair: set original_column and modified_column to two of "
        f"{', '.join(columns)}"
    )


def _check_columns(wanted: tuple[str, ...], columns: tuple[str, ...], location: str) -> None:
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise PairsError(f"{location} has no column {', '.join(missing)}, but {', '.join(columns)}")
