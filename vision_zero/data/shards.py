"""Pairs tables that may be larger than memory: a folder of parquet files, written and read a few pairs at a time.

Each file is a pairs table like any other; ``datasets.load_dataset("parquet", data_files="<folder>/*.parquet")`` reads them all.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vision_zero.data.image_pair import ImagePair
from vision_zero.data.source_report import SourceReport, merged
from vision_zero.data.splits import Split
from vision_zero.data.table import SCHEMA, PairTable, reports_in, reports_metadata, to_row
from vision_zero.errors import PairsError, one_line
from vision_zero.text import well_formed

ROWS_AT_ONCE = 16
"""Pairs held in memory while writing, and in a row group."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Context in which a folder is written.

    Raises:
        PairsError: it cannot be: the disk is full, or there may be no such folder.
    """
    try:
        yield
    except (OSError, UnicodeEncodeError) as error:  # of a name that is no text, which pyarrow does not take
        place = well_formed(str(folder))
        raise PairsError(f"{place} cannot be written: {one_line(error)}; make room there, or name another folder") from error


@dataclass(frozen=True)
class PairShards:
    """A folder of pairs tables, in the order of their names."""

    folder: Path

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    @property
    def reports(self) -> tuple[SourceReport, ...]:
        """What the sources of the pairs saw."""
        return merged(report for path in self.files() for report in reports_in(pq.read_metadata(path).metadata))

    def __len__(self) -> int:
        return sum(pq.read_metadata(path).num_rows for path in self.files())

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        """All rows in order, at most ``size`` at a time.

        Raises:
            PairsError: a file is unreadable or no pairs table.
        """
        for path in self.files():
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(size, columns=SCHEMA.names):
                        yield batch.cast(SCHEMA)
            except (OSError, pa.ArrowException) as error:
                raise PairsError(f"{path} is not a pairs table: {error}") from error

    def head(self, count: int) -> PairTable:
        """The first pairs."""
        found: list[pa.RecordBatch] = []
        for batch in self.batches(ROWS_AT_ONCE):
            found.append(batch)
            if sum(part.num_rows for part in found) >= count:
                break
        return PairTable(pa.Table.from_batches(found, SCHEMA).slice(0, count))

    def count(self, column: str) -> Counter[str]:
        """How often each value of a column of text comes."""
        return Counter(value for path in self.files() for value in pq.read_table(path, columns=[column])[column].to_pylist())


class ShardWriter:
    """Writes rows into files of a folder, the next file whenever one is full. A file appears when it is whole. Raises as
    :func:`writing` does.

    Attributes:
        reports: what the sources of the pairs saw; set before the end, they are written into the last file.
    """

    def __init__(self, folder: Path, name: str, rows_per_file: int) -> None:
        self._folder, self._name, self._rows_per_file = folder, name, rows_per_file
        self._file: pq.ParquetWriter | None = None
        self._path = folder
        self._rows = self._files = 0
        self.reports: tuple[SourceReport, ...] = ()

    def __enter__(self) -> Self:
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None and kind is None and self.reports:
            self._file.add_key_value_metadata(reports_metadata(self.reports))
        with writing(self._folder):
            self._finish(is_complete=kind is None)

    def write(self, rows: pa.Table) -> None:
        """Append rows of the pairs table's schema."""
        with writing(self._folder):
            while rows.num_rows:
                if self._rows == self._rows_per_file:
                    self._finish(is_complete=True)
                if self._file is None:
                    self._path = self._folder / f"{self._name}-{self._files:05d}.parquet"
                    self._file = pq.ParquetWriter(self._path.with_suffix(".new"), SCHEMA)
                part = rows.slice(0, self._rows_per_file - self._rows)
                self._file.write_table(part, row_group_size=ROWS_AT_ONCE)
                self._rows += part.num_rows
                rows = rows.slice(part.num_rows)

    def _finish(self, is_complete: bool) -> None:
        if self._file is not None:
            self._file.close()
            fresh = self._path.with_suffix(".new")
            fresh.rename(self._path) if is_complete else fresh.unlink()
            self._file, self._rows, self._files = None, 0, self._files + 1


def write_pairs(pairs: Iterable[tuple[int, ImagePair]], split: Split, writer: ShardWriter) -> None:
    """Write pairs, each with its position, a few at a time."""
    waiting = iter(pairs)
    while rows := [to_row(pair, split, position) for position, pair in islice(waiting, ROWS_AT_ONCE)]:
        writer.write(pa.Table.from_pylist(rows, schema=SCHEMA))


def divide(
    shards: PairShards, failing: set[str], passed: Path, quarantined: Path, rows_per_file: int
) -> tuple[PairShards, PairShards]:
    """Copy the pairs into two folders: those whose id is not among the failing ones, and the others."""
    for folder in (passed, quarantined):
        shutil.rmtree(folder, ignore_errors=True)
    with ShardWriter(passed, "pairs", rows_per_file) as good, ShardWriter(quarantined, "pairs", rows_per_file) as bad:
        for batch in shards.batches(ROWS_AT_ONCE):
            is_out = pa.array([pair_id in failing for pair_id in batch.column("pair_id").to_pylist()], pa.bool_())
            good.write(pa.Table.from_batches([batch.filter(pc.invert(is_out))]))
            bad.write(pa.Table.from_batches([batch.filter(is_out)]))
    return PairShards(passed), PairShards(quarantined)
