"""What pairs a location holds: two files with one id, or two columns of a data set, which are found by their names and by what is
in them."""

from __future__ import annotations

import json
import math
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import PurePosixPath
from typing import TypeVar, final

from vision_zero.data.archives import FileSet
from vision_zero.data.collection import Collection, FileCollection, RowCollection, rows_or_files
from vision_zero.data.file_naming import SIDES, is_image, name_pairs, rank, side_of, ways_of
from vision_zero.data.image_cells import listed
from vision_zero.data.image_identity import look_alike
from vision_zero.data.images import decode_pair, mask_of
from vision_zero.data.json_csv import text_of
from vision_zero.data.remote_storage import ConnectionLostError, Storage
from vision_zero.data.row_files import Rows
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.registry import domain_of
from vision_zero.errors import PairsError
from vision_zero.text import single_line, well_formed

Read = TypeVar("Read")
PROBED = 5
"""Rows that are read to tell which of several columns hold images."""
_OWN = ("domain", "original_facts")
"""Columns of this project's own tables."""
_GROUPED = 200
"""Rows of which at least two must have different groups."""
_WORDS = ("prompt", "instruction", "edit", "edit_prompt", "change", "txt")
_FILLERS = frozenset(
    "image images img imgs picture pictures pic photo path paths file filename name jpg jpeg png webp local frame".split()
)
_COUNTED = (("a", "b"), ("1", "2"), ("0", "1"), ("t_0", "t_1"), ("first", "second"), ("first", "last"), ("left", "right"))
LISTS = ("images", "image", "image_pair", "pair", "pairs", "pictures", "image_list", "imgs")
"""Columns that may hold both images of a pair."""
CHANGES = tuple(
    "change prompt edit_prompt instruction edit_instruction editing_instruction edit edited_prompt_list edit_prompts "
    "instructions prompts edit_text text".split()
)
"""Columns that say what was changed."""
GROUPS = tuple(
    "img_id image_id session_id group_id source_id original_id source_image_id photo_id scene_id conversation_id".split()
)
"""Columns that several edits of one image share (MagicBrush's turns have one ``img_id``)."""


@dataclass(frozen=True)
class Made:
    """A pair as it was found: encoded images, and what is said about the change."""

    original: bytes
    modified: bytes
    change: str


class PairIndex(Collection):
    """The pairs of a location; its problems are pairs that are not whole, its groups other edits of the same image."""

    @abstractmethod
    def load(self, place: int) -> Made:
        """A pair's images.

        Raises:
            PairsError: they cannot be read.
        """


@final
class FileIndex(FileCollection, PairIndex):
    """Pairs of files in the location, the folders below it and its tar archives, by the ways of naming them that
    :mod:`~vision_zero.data.file_naming` knows; what is said about a change may lie beside them as text or JSON."""

    def __init__(self, storage: Storage, split: str | None = None) -> None:
        super().__init__(storage, split)
        if self._files.chosen is not None:
            raise PairsError(
                f"{storage.location} is one file and no data set: give the folder of the pairs, a .tar archive, or a .parquet, "
                ".arrow, .jsonl, .json or .csv file"
            )
        named = name_pairs(self._paths)
        used = {path for _, *both in named.pairs for path in both} | {path for own in named.pairs for path in _beside(*own[:2])}
        self._leave_out(len(named.strays), "images whose name fits no pair")
        unread = sum(not is_image(path) and path not in used for path in self._paths)
        self._leave_out(unread, "files that are no images by their names")
        if not named.pairs and not named.problems and not self.problems:
            raise PairsError(
                f"{storage.location} holds no pairs: it needs files <id>_original.png and <id>_modified.png (or before and "
                f"after, input and output, also as folders or in one folder for each pair), or a data set, such as a .csv "
                f"or .jsonl file whose columns original and modified name the files{self._seen()}"
            )
        self.problems = {**{well_formed(pair_id): reason for pair_id, reason in named.problems.items()}, **self.problems}
        self._pairs = named.pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def name(self, place: int) -> str:
        return well_formed(self._pairs[place][0])

    def load(self, place: int) -> Made:
        pair_id, original, modified = self._pairs[place]
        return Made(self._files.read(original), self._files.read(modified), self._change(pair_id, original))

    def _change(self, pair_id: str, original: str) -> str:
        """What a file beside the images says about the change; empty where none does."""
        for path in _beside(pair_id, original):
            if path in self._texts:
                data = self._files.read(path)
                try:
                    text = text_of(data, path)
                except PairsError:
                    text = data.decode("utf-8", "replace")
                return single_line(text) if path.endswith(".txt") else _told(text)
        return ""

    @cached_property
    def _texts(self) -> frozenset[str]:
        return frozenset(path for path in self._files.paths if path.endswith((".txt", ".json")))


def _beside(pair_id: str, original: str) -> list[str]:
    """Where a pair's change may be told."""
    # Several edits of one image, 7_1 and 7_2, may have one text, 7.
    ids = dict.fromkeys((pair_id, re.sub(r"[_\-. /]*\d+$", "", pair_id) or pair_id))
    named = [name for one in ids for name in (one, *(f"{one}{separator}{word}" for word in _WORDS for separator in "_.-"))]
    beside = str(PurePosixPath(original).parent / "prompt").removeprefix("./")
    return [f"{stem}{suffix}" for stem in (*named, beside) for suffix in (".txt", ".json")]


@final
class RowIndex(RowCollection, PairIndex):
    """Two columns of a data set, or one that holds both images; and one with words where there is one."""

    def __init__(self, storage: Storage, config: ImportedConfig) -> None:
        images = None if config.pictures is None else FileSet(Storage(config.pictures, config.storage))
        hint = "; pairs.imported.pictures may say where the images are"
        super().__init__(Rows(storage, config.split, lambda columns: _may_hold_pairs(columns, config), images, hint))
        self._original, self._modified = self._pair_columns(config)
        self._change = config.change_column
        self._groups = config.group_column or first_of(GROUPS, self._rows.all_columns)
        _check_columns([name for name in (self._change, self._groups) if name], self._rows.all_columns, config.location)

    def load(self, place: int) -> Made:
        images = (self._original, self._modified)
        # Of several files, each may call it otherwise; and "edit" may be an image's column.
        change = self._change or first_of(CHANGES, [name for name in self._rows.columns_at(place) if name not in images])
        wanted = {*images, *([change] if change is not None else [])}
        row = self._rows.row(place, sorted(wanted))
        original, modified = self._images(place, row, images)
        return Made(original, modified, _words(row[change]) if change is not None else "")

    def group(self, place: int) -> str | None:
        if self._groups is None or not self._has_groups:
            return self._made_of(place)
        value = self._rows.row(place, [self._groups])[self._groups]
        is_missing = value is None or (isinstance(value, float) and math.isnan(value))
        return None if is_missing else (well_formed(str(value)) or None)

    def _made_of(self, place: int) -> str | None:
        """Of this project's own tables, the photo or table of which a pair was made, as others may have been; None elsewhere."""
        if not {*_OWN} <= {*self._rows.columns_at(place)}:
            return None
        row = self._rows.row(place, _OWN)
        try:
            domain, facts = domain_of(row["domain"]), json.loads(row["original_facts"])
        except (PairsError, TypeError, ValueError):
            return None
        return None if domain.is_finite or not isinstance(facts, dict) else domain.made_of(facts) or None

    @cached_property
    def _has_groups(self) -> bool:
        """Whether the column of groups tells pairs apart."""
        assert self._groups is not None
        column, seen = self._groups, set()
        for group in self._readable(lambda place: self._rows.row(place, [column])[column], _GROUPED):
            seen.add(str(group))
            if len(seen) > 1:
                return True
        return False

    def _images(self, place: int, row: Mapping[str, object], columns: tuple[str, str]) -> tuple[bytes, bytes]:
        one, other = columns
        if one != other:
            return self._rows.image(place, row[one], one), self._rows.image(place, row[other], other)
        both = _both(row[one])
        if both is None or len(both) != 2:
            raise PairsError(f"column {one} holds {'no list of' if both is None else len(both)} images where two are needed")
        return self._rows.image(place, both[0], one), self._rows.image(place, both[1], one)

    def _pair_columns(self, config: ImportedConfig) -> tuple[str, str]:
        columns = self._rows.columns
        if config.original_column is not None and config.modified_column is not None:
            wanted = (config.original_column, config.modified_column)
            _check_columns(wanted, columns, config.location, self._rows.differences)
            return wanted
        candidates = [both for both in pair_candidates(columns) if both[0] != both[1] or self._holds_both(both[0])]
        if not candidates:
            are_files = "; the first line must name the columns" if any(map(is_image, columns)) else ""
            raise PairsError(
                f"no two columns of {config.location} look like a pair: set original_column and modified_column to two of "
                f"{', '.join(columns)}{self._rows.differences}{are_files}"
            )
        if len(candidates) == 1:
            return candidates[0]
        # The names alone do not tell: some hold text, masks, or maps. Of equally good ones, the first.
        return max(candidates, key=self._complete_rows)

    def _holds_both(self, column: str) -> bool:
        return any(both is not None for both in self._readable(lambda place: _both(self._rows.row(place, [column])[column])))

    def _complete_rows(self, columns: tuple[str, str]) -> tuple[int, int]:
        """Of the first rows, in how many these columns hold a pair of images that look alike, and in how many any."""
        alike, complete = 0, 0
        names = sorted(set(columns))
        for images in self._readable(lambda place: decode_pair(*self._images(place, self._rows.row(place, names), columns))):
            if mask_of(*images) is None:
                complete += 1
                alike += look_alike(*images)
        return alike, complete

    def _readable(self, read: Callable[[int], Read], most: int = PROBED) -> Iterator[Read]:
        """What is read of the first rows, without those that cannot be read."""
        for place in range(min(most, len(self._rows))):
            try:
                found = read(place)
            except ConnectionLostError:
                raise
            except PairsError:
                continue
            yield found


def open_index(config: ImportedConfig) -> PairIndex:
    """The pairs of the configured location.

    Raises:
        PairsError: it cannot be read or holds no pairs.
    """
    storage = Storage(config.location, config.storage)
    return rows_or_files(
        storage,
        config.layout,
        rows=lambda: RowIndex(storage, config),
        files=lambda: FileIndex(storage, config.split),
        count=lambda paths: len(name_pairs(paths).pairs),
        hint="its files make {} pairs by their names",
    )


def _both(cell: object) -> list[object] | None:
    """The images that one cell holds: a list, or {"before": ..., "after": ...}."""
    cell = listed(cell)
    if isinstance(cell, dict):
        names = [key for key in cell if isinstance(key, str)]
        keys = next((keys for keys in pair_candidates(names) if keys[0] != keys[1]), None)
        return None if keys is None else [cell[key] for key in keys]
    return cell if isinstance(cell, list) else None


def _may_hold_pairs(columns: Sequence[str], config: ImportedConfig) -> bool:
    """Whether a table of these columns has two for the images, as set or by their names."""
    if config.original_column is not None:
        return {config.original_column, config.modified_column} <= set(columns)
    return any(one != other for one, other in pair_candidates(columns))


def _check_columns(wanted: Sequence[str], columns: tuple[str, ...], location: str, differences: str = "") -> None:
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise PairsError(f"{location} has no column {', '.join(missing)}, but {', '.join(columns)}{differences}")


def _words(cell: object) -> str:
    """What a cell says about the change: a text, or several, each once."""
    found = listed(cell)
    texts = found if isinstance(found, list) else [cell]
    return "; ".join(Counter(single_line(text) for text in texts if isinstance(text, str) and text.strip()))


def _told(text: str) -> str:
    """What a JSON file beside a pair says about the change."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return _words(found)
    name = first_of(CHANGES, list(found))
    return "" if name is None else _words(found[name])


def pair_candidates(columns: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of columns whose names look like a pair, the likeliest first; a column that may hold both stands twice."""
    stems = {column: _stem(column) for column in columns}
    # "original_image" before "original", which may be text beside it.
    ordered = sorted(columns, key=lambda column: column.lower() == stems[column])
    words = [(way.key, rank(way.word), side_of(way.word), column) for column in ordered for way in ways_of(stems[column])]
    plain = [("", -1, "", column) for column in ordered if not stems[column]]
    originals, modifieds = ([*(word for word in words if word[2] == side), *plain] for side in SIDES)
    found = [both for both in product(originals, modifieds) if both[0][0] == both[1][0]]
    found.sort(key=lambda both: (-1 in (both[0][1], both[1][1]), both[0][1] + both[1][1]))
    counted = [
        (one, other)
        for first, second in _COUNTED
        for one, other in product(ordered, repeat=2)
        if (stems[one], stems[other]) == (first, second)
    ]
    alone = [(column, column) for name in LISTS for column in columns if column.lower() == name]
    return [(one[3], other[3]) for one, other in found if one[2] != other[2]] + counted + alone


def first_of(names: Sequence[str], columns: Sequence[str]) -> str | None:
    """The first of some names that is a column, whatever parts its words ("img-id", "Img ID")."""
    lower = {re.sub(r"[ -]", "_", column.strip().lower()): column for column in columns}
    return next((lower[name] for name in names if name in lower), None)


def _stem(column: str) -> str:
    """A column's name without words such as "image"."""
    words = re.split(r"[_\- .]+|(?<=[a-z])(?=[A-Z0-9])", column.strip())
    return "_".join(word for word in map(str.lower, words) if word and word not in _FILLERS)
