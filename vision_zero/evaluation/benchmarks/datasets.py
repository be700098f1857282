"""Where benchmarks come from: a hub data set, or a parquet or JSON file or a folder of them, here or at any URL (s3://...).

Images stay encoded until one is asked for.
"""

from __future__ import annotations

import io
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_dataset
from datasets.exceptions import DatasetsError
from PIL import Image

from vision_zero.config.suites import SuiteConfig
from vision_zero.data.images import decode
from vision_zero.data.json_csv import text_of
from vision_zero.data.remote_storage import address_failures, file_system
from vision_zero.errors import EvaluationError, PairsError, one_line
from vision_zero.evaluation.benchmarks.json_files import Row, absent, lines_of, rows_of
from vision_zero.evaluation.suite import Item, Suite
from vision_zero.fingerprints import digest

_HUB = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class BenchmarkTable:
    """Rows in order.

    Attributes:
        name: what to call it in messages.
        columns: the names that every row has.
        file: reads a file that a row names by its path beside the table.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    file: Callable[[str], bytes]

    def need(self, *columns: str) -> None:
        """Refuse a table whose rows lack one of these columns.

        Raises:
            EvaluationError: one is missing; the message says which, and which there are.
        """
        missing = [column for column in columns if column not in self.columns]
        if self.rows and missing:
            raise EvaluationError(f"{self.name} has no column {', '.join(missing)}; its columns are {', '.join(self.columns)}")


class TableSuite(Suite):
    """A suite of the rows of a table.

    Attributes:
        hub: the data set, where no other source is named; ``split`` likewise.
    """

    hub: str
    split: str

    def __init__(self, table: BenchmarkTable) -> None:
        self._table = table

    @classmethod
    def load(cls, config: SuiteConfig) -> Self:
        """The split of a hub data set, file, folder or URL, as it is configured. Raises as :func:`load_table` does."""
        return cls(load_table(config.source or cls.hub, config.split or cls.split, config.revision, config.options))

    def __len__(self) -> int:
        return len(self._table.rows)

    def item(self, number: int) -> Item:
        image = cell_image(self._cell(self._table.rows[number]), self._table, self._called(number))
        return Item(self.key(number), self.prompt(number), image)

    def digest(self, number: int) -> str:
        row = self._table.rows[number]
        cells = (part for column in sorted(row) for part in (column, *_flat(row[column])))
        return digest(_encoded(self._cell(row), self._table, self._called(number)), *cells)

    @abstractmethod
    def _cell(self, row: Row) -> Any:
        """Where a row's image is."""

    @abstractmethod
    def _called(self, number: int) -> str:
        """An item's name in messages."""


def load_table(source: str, split: str, revision: str | None = None, options: Mapping[str, Any] | None = None) -> BenchmarkTable:
    """The rows of a split.

    Args:
        source: a hub id such as ``AI4Math/MathVista``; or a ``.parquet``, ``.json`` or ``.jsonl`` file, or a folder with the
            split's files, by path or URL.
        split: names the files of a folder and the split of a hub data set.
        revision: of a hub data set.
        options: of the file system, for example ``{"client_kwargs": {"endpoint_url": "http://..."}}`` for s3fs.

    Raises:
        EvaluationError: nothing readable is there, or the hub cannot be reached.
    """
    if not Path(source).exists() and _HUB.fullmatch(source):
        return table_of(_hub_rows(source, split, revision), source)
    try:
        files, root = file_system(source, options or {})
        paths = [root] if files.isfile(root) else _files_of_split(files.find(root), root.rstrip("/"), split)
        if not paths:
            raise EvaluationError(
                f"{source} holds no file of the split {split}: give {split}-*.parquet, {split}.json or {split}.jsonl"
            )
        rows = [row for path in paths for row in _file_rows(files, path)]
    except (PairsError, RuntimeError) as error:
        raise EvaluationError(f"{source} cannot be read: {one_line(error)}") from error
    except address_failures() as error:
        reason = one_line(error, 200)
        raise EvaluationError(f"{source} cannot be read: {reason} (give a file, a folder, or a URL that can be)") from error
    return table_of(rows, source if len(paths) > 1 else paths[0], partial(_beside, files, paths[0]))


def cell_image(value: Any, table: BenchmarkTable, name: str) -> Image.Image:
    """The RGB image of a cell: encoded bytes, a dict of bytes or a path, or a path beside the table.

    Raises:
        EvaluationError: there is none, or it cannot be read; the message names ``name``.
    """
    try:
        return decode(_encoded(value, table, name), f"{table.name}: {name}")
    except PairsError as error:
        raise EvaluationError(str(error)) from error


def _flat(cell: Any) -> Iterator[bytes | str]:
    """Of an image its bytes, without writing them out as text."""
    if isinstance(cell, bytes):
        yield cell
    elif isinstance(cell, Mapping):
        for key in sorted(cell, key=str):
            yield str(key)
            yield from _flat(cell[key])
    else:
        yield repr(cell)


def _encoded(value: Any, table: BenchmarkTable, name: str) -> bytes:
    if isinstance(value, Mapping):
        value = value.get("bytes") if value.get("bytes") else value.get("path")
    if absent(value) or value == "":
        raise EvaluationError(f"{table.name}: {name} has no image")
    if isinstance(value, str):
        try:
            value = table.file(value)
        except address_failures() as error:
            raise EvaluationError(f"{table.name}: the image {value} of {name} is missing beside it") from error
    if not isinstance(value, bytes):
        raise EvaluationError(f"{table.name}: the image of {name} is neither bytes nor a path but {type(value).__name__}")
    return value


def table_of(rows: Sequence[Row], name: str, file: Callable[[str], bytes] | None = None) -> BenchmarkTable:
    """A table of these rows; without ``file`` their paths are those of this machine."""
    columns = tuple(key for key in (rows[0] if rows else {}) if all(key in row for row in rows))
    return BenchmarkTable(name, columns, rows, file or (lambda path: Path(path).read_bytes()))


def _hub_rows(source: str, split: str, revision: str | None) -> list[Row]:
    try:
        loaded = load_dataset(source, split=split, revision=revision)
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise EvaluationError(
            f"the hub data set {source!r} (split {split}) cannot be read: {one_line(error, 120)} (where the hub is reachable, "
            f"download its data/{split}-*.parquet and give that file, its folder or an s3:// URL as the source)"
        ) from error
    rows: list[Row] = loaded.with_format("arrow")[:].to_pylist()
    return rows


def _files_of_split(paths: Sequence[str], root: str, split: str) -> list[str]:
    """Parquet parts of the split, else its JSON; the official folder of ChartQA has ``test/test_human.json`` and the like."""
    below = sorted(path for path in paths if path.startswith(root))
    for pattern in (rf"{split}(?![A-Za-z]).*\.parquet", rf"{split}\.jsonl?", rf"{split}_(?:human|augmented)\.json"):
        found = [path for path in below if re.fullmatch(pattern, path.rsplit("/", 1)[-1])]
        if found:
            return found
    return []


def _beside(files: Any, path: str, relative: str) -> bytes:
    """A file that a row of the table at that path names."""
    if ".." in relative.split("/"):
        raise ValueError(f"{relative} leads out of the folder")
    folder = path.rpartition("/")[0]
    return bytes(files.cat_file(f"{folder}/{relative}" if folder else relative))


def _file_rows(files: Any, path: str) -> list[Row]:
    name = path.rpartition("/")[2]
    data = bytes(files.cat_file(path))
    if name.endswith(".parquet"):
        try:
            rows: list[Row] = pq.read_table(io.BytesIO(data)).to_pylist()
            return rows
        except pa.ArrowInvalid as error:
            raise EvaluationError(f"{path} is not a readable parquet file: {one_line(error, 200)}") from error
    if not name.endswith((".json", ".jsonl")):
        raise EvaluationError(f"{path} is neither a .parquet nor a .json or .jsonl file")
    text = text_of(data, path)
    rows = lines_of(text, path) if name.endswith(".jsonl") else rows_of(text, path)
    return [{**row, "source_file": name} for row in rows]
