"""Data sets as files of rows: parquet, arrow (what ``datasets`` saves) and JSON lines; a cell is a picture or the path of one."""

from __future__ import annotations

import bisect
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, final

import pyarrow as pa
import pyarrow.parquet as pq

from vision_zero.errors import PairsError, one_line
from vision_zero.pairs.imported.storage import Storage

SUFFIXES = (".parquet", ".arrow", ".jsonl")
FOOTER, MOST_FOOTER = 64 * 1024, 256 * 1024 * 1024
"""Bytes at the end of a parquet file that are read first, and at most, to know what it holds."""
_MAGIC = b"PAR1"
_BATCH = 32

Row = dict[str, Any]


class Shard(ABC):
    """One file of rows; its size and columns are known at once, its rows are read when they are asked for."""

    def __init__(self, path: str, columns: Sequence[str], rows: int) -> None:
        self.path, self.columns, self.rows = path, tuple(columns), rows

    @abstractmethod
    def row(self, number: int, columns: Sequence[str]) -> Row:
        """Some columns of one row.

        Raises:
            PairsError: it cannot be read.
        """


@final
class ParquetShard(Shard):
    """Only the end of the file is read to know it; the whole is fetched with the first row."""

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage = storage
        tail = storage.tail(path, FOOTER)
        # A parquet file ends with its description, the description's length and four letters.
        needed = int.from_bytes(tail[-8:-4], "little") + 8
        if len(tail) < needed <= MOST_FOOTER:
            tail = storage.tail(path, needed)
        try:
            metadata = pq.read_metadata(pa.BufferReader(_MAGIC + tail))
            columns = metadata.schema.to_arrow_schema().names
        except (pa.ArrowInvalid, OSError) as error:
            raise PairsError(f"{path}: not a readable parquet file ({one_line(error)})") from error
        super().__init__(path, columns, metadata.num_rows)

    def row(self, number: int, columns: Sequence[str]) -> Row:
        try:
            group, rest = 0, number
            while rest >= (size := self._file.metadata.row_group(group).num_rows):
                group, rest = group + 1, rest - size
            for batch in self._file.iter_batches(batch_size=_BATCH, row_groups=[group], columns=list(columns)):
                if rest < batch.num_rows:
                    row: Row = batch.slice(rest, 1).to_pylist()[0]
                    return row
                rest -= batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise PairsError(f"{self.path}: row {number} cannot be read ({one_line(error)})") from error
        raise PairsError(f"{self.path}: has no row {number}, though its end says so")

    @cached_property
    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._storage.local(self.path), memory_map=True)


@final
class ArrowShard(Shard):
    """A stream of record batches, mapped into memory."""

    def __init__(self, storage: Storage, path: str) -> None:
        try:
            self._table = pa.ipc.open_stream(pa.memory_map(str(storage.local(path)))).read_all()
        except (pa.ArrowInvalid, OSError) as error:
            raise PairsError(f"{path}: not a readable arrow file ({one_line(error)})") from error
        super().__init__(path, self._table.column_names, self._table.num_rows)

    def row(self, number: int, columns: Sequence[str]) -> Row:
        row: Row = self._table.select(list(columns)).slice(number, 1).to_pylist()[0]
        return row


@final
class JsonLinesShard(Shard):
    """One JSON object a line."""

    def __init__(self, storage: Storage, path: str) -> None:
        try:
            lines = [line for line in storage.read(path).decode("utf-8-sig").splitlines() if line.strip()]
            first = json.loads(lines[0]) if lines else {}
        except ValueError as error:
            raise PairsError(f"{path}: not a file of JSON lines ({one_line(error)})") from error
        self._lines = lines
        super().__init__(path, list(first) if isinstance(first, dict) else (), len(lines))

    def row(self, number: int, columns: Sequence[str]) -> Row:
        try:
            found = json.loads(self._lines[number])
        except ValueError as error:
            raise PairsError(f"{self.path}: line {number + 1} is no JSON ({one_line(error)})") from error
        if not isinstance(found, dict):
            raise PairsError(f"{self.path}: line {number + 1} is no JSON object")
        return {column: found.get(column) for column in columns}


class Rows:
    """All rows of a location's files, one file after another.

    Raises:
        PairsError: a file cannot be read, they have different columns, or there is none.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        paths = table_paths(storage)
        if not paths:
            raise PairsError(f"{storage.location} holds no {', '.join(SUFFIXES)} file: check the location or its layout")
        self.shards = [_shard(storage, path) for path in paths]
        self._ends = [0]
        for shard in self.shards:
            self._ends.append(self._ends[-1] + shard.rows)

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that every file has."""
        first, *others = (shard.columns for shard in self.shards)
        return tuple(column for column in first if all(column in columns for columns in others))

    def name(self, place: int) -> str:
        """Which row of which file a place is."""
        shard, number = self._at(place)
        return f"{shard.path}:{number}"

    def row(self, place: int, columns: Sequence[str]) -> Row:
        """Some columns of one row. Raises as :meth:`Shard.row` does."""
        shard, number = self._at(place)
        return shard.row(number, columns)

    def picture(self, place: int, cell: object, column: str) -> bytes:
        """The bytes of a cell's picture: a picture of ``datasets``, plain bytes, a path beside the data set, or a list of one.

        Raises:
            PairsError: the cell is none of these, or the path leads nowhere.
        """
        if isinstance(cell, list) and len(cell) == 1:
            cell = cell[0]
        if isinstance(cell, dict):
            cell = cell.get("bytes") or cell.get("path")
        if isinstance(cell, bytes):
            return cell
        if isinstance(cell, str) and cell:
            folder = PurePosixPath(self._at(place)[0].path).parent
            near = str(folder / cell)
            return self.storage.read(near if near in self.storage.entries else cell)
        raise PairsError(f"column {column} holds no picture but {type(cell).__name__}")

    def _at(self, place: int) -> tuple[Shard, int]:
        number = bisect.bisect_right(self._ends, place) - 1
        return self.shards[number], place - self._ends[number]


def table_paths(storage: Storage) -> list[str]:
    """The files of rows in a location, or the one that it names."""
    paths = storage.entries if storage.chosen is None else [storage.chosen]
    return [path for path in paths if PurePosixPath(path).suffix.lower() in SUFFIXES]


def _shard(storage: Storage, path: str) -> Shard:
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        return ParquetShard(storage, path)
    return ArrowShard(storage, path) if suffix == ".arrow" else JsonLinesShard(storage, path)
