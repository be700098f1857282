"""Data sets as files of rows: parquet, arrow (what ``datasets`` saves), JSON lines, JSON and CSV."""

from __future__ import annotations

import bisect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, final

import pyarrow as pa
import pyarrow.parquet as pq

from vision_zero.data.archives import PACKED, UNREAD, FileSet, is_hidden
from vision_zero.data.image_cells import image_bytes
from vision_zero.data.json_csv import HoldsNoRowsError, Row, rows_of_csv, rows_of_json, text_of
from vision_zero.data.remote_storage import Storage
from vision_zero.data.split_names import of_split, own_split, split_named, split_of_file, taken_splits
from vision_zero.errors import PairsError, one_line

SUFFIXES = (".parquet", ".arrow", ".feather", ".ipc", ".jsonl", ".ndjson")
DOCUMENTS = (".json", ".csv", ".tsv")
"""Read where there is no file of the kinds above: such files are often something else."""
FOOTER, MOST_FOOTER = 64 * 1024, 256 * 1024 * 1024
"""Bytes at the end of a parquet file that are read first, and at most, to know what it holds."""
SAVED = "state.json"
"""What ``Dataset.save_to_disk`` writes beside its data; it names the files that are data."""
_MAGIC = b"PAR1"
_IPC_FILE = b"ARROW1"
_BATCH = 32
_BROKEN = (pa.ArrowException, OSError, ValueError, OverflowError, KeyError)
"""What pyarrow raises on values that Python cannot hold, and on a column whose name another one has."""
_SPLIT_COLUMNS = ("split", "subset", "partition", "data_split", "set")
_NO_COLUMN = ""
"""Of the rows of a file without a column of splits, beside files that have one."""
_ABOUT = frozenset((SAVED, "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "config.json", "contents.json"))


class Shard(ABC):
    """One file of rows; its size and columns are known at once, its rows are read when they are asked for."""

    def __init__(self, path: str, columns: Sequence[str], rows: int) -> None:
        self.path, self.columns, self.rows = path, tuple(columns), rows

    def row(self, number: int, columns: Sequence[str]) -> Row:
        """Some columns of one row.

        Raises:
            PairsError: it cannot be read.
        """
        with self._errors_of(f"row {number}"):
            return self._row(number, columns)

    def column(self, name: str) -> list[Any]:
        """All values of a column, with what is wrong with a broken row in its place. Raises as ``row`` does."""
        with self._errors_of(f"column {name}"):
            return self._column(name)

    def release(self) -> None:
        """Free what reading rows in order keeps in memory."""
        return

    @abstractmethod
    def _row(self, number: int, columns: Sequence[str]) -> Row: ...

    @abstractmethod
    def _column(self, name: str) -> list[Any]: ...

    @contextmanager
    def _errors_of(self, what: str) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            raise PairsError(f"{self.path}: {what} cannot be read ({one_line(error)})") from error


@dataclass
class _Reading:
    """How far some columns of a row group are read: to the batch that begins with the row ``first`` of the group."""

    group: int
    batches: Iterator[pa.RecordBatch]
    batch: pa.RecordBatch
    first: int = 0


@final
class ParquetShard(Shard):
    """Only the end of the file is read to know it; the whole is fetched with the first row.

    A row group is decoded from its start, and many files have only one: rows in order go on where the last one was.
    """

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage = storage
        self._readings: dict[tuple[str, ...], _Reading] = {}
        tail = storage.tail(path, FOOTER)
        # A parquet file ends with its description, the description's length and four letters.
        needed = int.from_bytes(tail[-8:-4], "little") + 8
        if len(tail) < needed <= MOST_FOOTER:
            tail = storage.tail(path, needed)
        try:
            metadata = pq.read_metadata(pa.BufferReader(_MAGIC + tail))
            columns = metadata.schema.to_arrow_schema().names
        except (pa.ArrowException, OSError) as error:
            raise PairsError(f"{path}: not a readable parquet file ({one_line(error)})") from error
        super().__init__(path, columns, metadata.num_rows)

    def release(self) -> None:
        self._readings.clear()

    def _row(self, number: int, columns: Sequence[str]) -> Row:
        group, rest = 0, number
        while rest >= (size := self._file.metadata.row_group(group).num_rows):
            group, rest = group + 1, rest - size
        reading = self._readings.pop(tuple(columns), None)
        try:
            if reading is None or reading.group != group or rest < reading.first:
                batches = self._file.iter_batches(batch_size=_BATCH, row_groups=[group], columns=list(columns))
                reading = _Reading(group, batches, next(batches))
            while rest >= reading.first + reading.batch.num_rows:
                reading.first, reading.batch = reading.first + reading.batch.num_rows, next(reading.batches)
        except StopIteration:
            raise PairsError(f"{self.path}: has no row {number}, though its end says so") from None
        row: Row = reading.batch.slice(rest - reading.first, 1).to_pylist()[0]
        self._readings[tuple(columns)] = reading
        return row

    def _column(self, name: str) -> list[Any]:
        return list(self._file.read([name])[name].to_pylist())

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._storage.local(self.path), memory_map=True)


@final
class ArrowShard(Shard):
    """Record batches, as a stream or as a file (feather), mapped into memory."""

    def __init__(self, storage: Storage, path: str) -> None:
        try:
            data = pa.memory_map(str(storage.local(path)))
            is_file = data.read(len(_IPC_FILE)) == _IPC_FILE
            data.seek(0)
            self._table = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(data).read_all()
        except (pa.ArrowException, OSError) as error:
            raise PairsError(f"{path}: not a readable arrow file ({one_line(error)})") from error
        super().__init__(path, self._table.column_names, self._table.num_rows)

    def _row(self, number: int, columns: Sequence[str]) -> Row:
        row: Row = self._table.select(list(columns)).slice(number, 1).to_pylist()[0]
        return row

    def _column(self, name: str) -> list[Any]:
        return list(self._table[name].to_pylist())


@final
class DocumentShard(Shard):
    """The rows of a JSON or CSV file, which was read as a whole, with what is wrong with a row in its place."""

    def __init__(self, found: Sequence[Row | PairsError], path: str) -> None:
        self._found = found
        rows = [row for row in found if isinstance(row, dict)]
        super().__init__(path, list(dict.fromkeys(column for row in rows for column in row)), len(found))

    def _row(self, number: int, columns: Sequence[str]) -> Row:
        row = self._found[number]
        if isinstance(row, PairsError):
            raise row
        return {column: row.get(column) for column in columns}

    def _column(self, name: str) -> list[Any]:
        return [row.get(name) if isinstance(row, dict) else row for row in self._found]


class Rows:
    """The rows of a location's files, one file after another, of one split where there are several.

    Args:
        split: whose files and rows are read; None for all.
        fits: whether a file of these columns holds what is looked for; where one does, other JSON and CSV files are left out.
        images: where else the files are that cells name.
        hint: what to say besides where such a file is not there.

    Attributes:
        left_out: files and rows that are not read, by reason.

    Raises:
        PairsError: a file cannot be read, they have no column in common, there is none, or none of the split.
    """

    def __init__(
        self,
        storage: Storage,
        split: str | None,
        fits: Callable[[Sequence[str]], bool],
        images: FileSet | None = None,
        hint: str = "",
    ) -> None:
        self.storage, self._hint = storage, hint
        self._places = [FileSet(storage), *([images] if images is not None else [])]
        paths, self.left_out = table_paths(storage)
        if not paths:
            raise PairsError(
                f"{storage.location} holds no .parquet, .arrow, .jsonl file, nor one of .feather, .ndjson, .json, .csv, .tsv: "
                "check the location or its layout"
            )
        own = own_split(split)
        is_split_of_files = own is not None and any(split_of_file(path, own) == own for path in paths)
        if storage.chosen is None and (own is None or is_split_of_files):
            paths, others = of_split(paths, split, split_of_file, storage.location)
            self.left_out |= others
        shards = _shards(storage, paths)
        self.shards = [shard for shard in shards if shard.rows] or shards[:1]
        if empty := len(paths) - len(self.shards):
            self.left_out["files without rows"] = empty
        fitting = [shard for shard in self.shards if not isinstance(shard, DocumentShard) or fits(shard.columns)]
        if fitting and len(fitting) < len(self.shards):
            self.left_out["JSON and CSV files of other columns"] = len(self.shards) - len(fitting)
            self.shards = fitting
        if not self.columns and len(self.shards) > 1:
            told = "; ".join(f"{shard.path} has {', '.join(shard.columns)}" for shard in self.shards[:3])
            raise PairsError(f"the files of {storage.location} have no column in common: give one of them as location: {told}")
        self._ends = [0]
        for shard in self.shards:
            self._ends.append(self._ends[-1] + shard.rows)
        self._last = self.shards[0]
        self._chosen = self._of_split(split, is_split_of_files)

    def __len__(self) -> int:
        return self._ends[-1] if self._chosen is None else len(self._chosen)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that every file has."""
        first, *others = (shard.columns for shard in self.shards)
        return tuple(column for column in first if all(column in columns for columns in others))

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns that any file has."""
        return tuple(dict.fromkeys(column for shard in self.shards for column in shard.columns))

    @property
    def differences(self) -> str:
        """What to say, where columns are listed that every file has, of files that have others; empty where none does."""
        if all(set(shard.columns) == set(self.columns) for shard in self.shards):
            return ""
        others: dict[frozenset[str], str] = {}
        for shard in self.shards:
            others.setdefault(frozenset(shard.columns), f"{shard.path} has {', '.join(shard.columns)}")
        return f" (in every file; {'; '.join([*others.values()][:3])}: give one of them as location)"

    def columns_at(self, place: int) -> tuple[str, ...]:
        """The columns of the file of a row."""
        return self._at(place)[0].columns

    def name(self, place: int) -> str:
        """Which row of which file a place is."""
        shard, number = self._at(place)
        return f"{shard.path}:{number}"

    def row(self, place: int, columns: Sequence[str]) -> Row:
        """Some columns of one row, None where its file has no such column. Raises as :meth:`Shard.row` does."""
        shard, number = self._at(place)
        if shard is not self._last:
            self._last.release()
            self._last = shard
        known = [column for column in columns if column in shard.columns]
        return dict.fromkeys(columns) | (shard.row(number, known) if known else {})

    def image(self, place: int, cell: object, column: str) -> bytes:
        """The bytes of a cell's image. Raises as :func:`~vision_zero.data.image_cells.image_bytes` does."""
        folder = str(PurePosixPath(self._at(place)[0].path).parent)
        return image_bytes(cell, column, folder, self._places, self._hint)

    def _at(self, place: int) -> tuple[Shard, int]:
        place = place if self._chosen is None else self._chosen[place]
        number = bisect.bisect_right(self._ends, place) - 1
        return self.shards[number], place - self._ends[number]

    def _of_split(self, split: str | None, is_split_of_files: bool) -> list[int] | None:
        """The rows of the split where a column names several; None for all."""
        own = own_split(split)
        named = [] if split is None else self._named_splits(own)
        if is_split_of_files and own not in named:
            return None
        known = [name or None for name in named if not isinstance(name, PairsError)]
        taken = taken_splits(known, split, f"the rows of {self.storage.location} are of") | {_NO_COLUMN}
        # Whoever asks for a broken row is told.
        kept = [place for place, name in enumerate(named) if isinstance(name, PairsError) or name in taken]
        if len(kept) == len(named):
            return None
        self.left_out["rows of other splits"] = len(named) - len(kept)
        return kept

    def _named_splits(self, own: str | None) -> list[str | PairsError | None]:
        """Each row's split, by the column that names it, or what is wrong with the row; empty where no column does."""
        first: list[str | PairsError | None] = []
        for column in (column for name in _SPLIT_COLUMNS for column in self.all_columns if column.lower() == name):
            named: list[str | PairsError | None] = []
            for shard in self.shards:
                has_it = column in shard.columns
                named += [_split_in(cell, own) for cell in shard.column(column)] if has_it else [_NO_COLUMN] * shard.rows
            known = {name for name in named if isinstance(name, str) and name != _NO_COLUMN}
            if own in known or (own is None and known):
                return named
            first = first or (named if known else [])
        return first


def table_paths(storage: Storage) -> tuple[list[str], dict[str, int]]:
    """The files of rows in a location, or the one that it names; and how many others were left out, by reason."""
    if storage.chosen is not None:
        return [path for path in [storage.chosen] if _suffix(path) in (*SUFFIXES, *DOCUMENTS)], {}
    shown = [path for path in storage.entries if not is_hidden(path)]
    paths = [path for path in shown if _suffix(path) in SUFFIXES]
    documents = [path for path in shown if _suffix(path) in DOCUMENTS and PurePosixPath(path).name not in _ABOUT]
    data = [path for path in paths if _is_data(storage, path)]
    counts = {
        "cache files of datasets": len(paths) - len(data),
        "JSON and CSV files beside those of a data set": len(documents) if paths else 0,
        PACKED: sum(path.lower().endswith(UNREAD) for path in shown),
        "hidden files": sum(_suffix(path) in SUFFIXES for path in storage.entries) - len(paths),
    }
    return data if paths else documents, {reason: count for reason, count in counts.items() if count}


def _split_in(cell: Any, own: str | None) -> str | PairsError | None:
    """The split that a cell names, or what is wrong with its row."""
    if isinstance(cell, PairsError):
        return cell
    return split_named(cell, own) if isinstance(cell, str) else None


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _is_data(storage: Storage, path: str) -> bool:
    """Whether an arrow file is data: ``datasets`` leaves caches of what was computed beside it."""
    if _suffix(path) != ".arrow":
        return True
    file = PurePosixPath(path)
    state = str(file.parent / SAVED).removeprefix("./")
    if state not in storage.entries:
        return not file.name.startswith(("cache-", "tmp"))
    try:
        saved = json.loads(storage.read(state))
        if saved.get("_indices_data_files"):
            raise PairsError(f"{state}: the data set was saved with indices, by an old version of datasets: save it anew")
        return file.name in {entry["filename"] for entry in saved["_data_files"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PairsError(f"{state}: does not say which files are data ({one_line(error)}): save the data set anew") from error


def _shards(storage: Storage, paths: Sequence[str]) -> list[Shard]:
    """Files of rows; without JSON files of something else, unless there is nothing but such files."""
    shards, problem = [], None
    for path in paths:
        try:
            shards.append(_shard(storage, path))
        except HoldsNoRowsError as error:
            problem = problem or error
    if not shards and problem is not None:
        raise problem
    return shards


def _shard(storage: Storage, path: str) -> Shard:
    suffix = _suffix(path)
    if suffix == ".parquet":
        return ParquetShard(storage, path)
    if suffix in (".arrow", ".feather", ".ipc"):
        return ArrowShard(storage, path)
    text = text_of(storage.read(path), path)
    if suffix in (".csv", ".tsv"):
        return DocumentShard(rows_of_csv(text, path), path)
    return DocumentShard(rows_of_json(text, path, suffix in (".jsonl", ".ndjson")), path)
