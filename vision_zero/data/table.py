"""Pairs as one parquet table with the images inside, which ``datasets.load_dataset("parquet", ...)`` reads unchanged.

Images stay encoded until a pair is asked for, so a table costs the memory of its PNG files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, Image, List, Value
from pydantic import TypeAdapter, ValidationError

from vision_zero.data.image_pair import Change, ImagePair
from vision_zero.data.images import decode, png_bytes
from vision_zero.data.source_report import SourceReport, merged
from vision_zero.data.splits import Split
from vision_zero.errors import PairsError

FEATURES = Features(
    {
        "pair_id": Value("string"),
        "domain": Value("string"),
        "split": Value("string"),
        "position": Value("int64"),
        "width": Value("int32"),
        "height": Value("int32"),
        "original": Image(),
        "modified": Image(),
        "changes": List(
            {
                "kind": Value("string"),
                "before": Value("string"),
                "after": Value("string"),
                "box": List(Value("int32"), length=4),
            }
        ),
        "original_facts": Value("string"),
        "modified_facts": Value("string"),
    }
)
SCHEMA: pa.Schema = FEATURES.arrow_schema
REPORTS = b"vision_zero.sources"
"""Key of the sources' reports in a file's metadata."""
_REPORTS = TypeAdapter(tuple[SourceReport, ...])


def to_row(pair: ImagePair, split: Split, position: int) -> dict[str, Any]:
    """The pair as one row of the table; its position says which iteration plays with it (:class:`PairSampler`)."""
    original_facts, modified_facts = pair.facts_json()
    width, height = pair.original.size
    return {
        "pair_id": pair.pair_id,
        "domain": pair.domain,
        "split": split,
        "position": position,
        "width": width,
        "height": height,
        "original": {"bytes": png_bytes(pair.original), "path": f"{pair.pair_id}_original.png"},
        "modified": {"bytes": png_bytes(pair.modified), "path": f"{pair.pair_id}_modified.png"},
        "changes": [asdict(change) for change in pair.changes],
        "original_facts": original_facts,
        "modified_facts": modified_facts,
    }


def from_row(row: dict[str, Any]) -> ImagePair:
    """The pair of one row.

    Raises:
        PairsError: an image or a field of the row cannot be read.
    """
    name = row["pair_id"]
    try:
        facts = [json.loads(row[key]) for key in ("original_facts", "modified_facts")]
        changes = tuple(Change(**{**change, "box": tuple(change["box"])}) for change in row["changes"])
    except (TypeError, KeyError, ValueError) as error:
        raise PairsError(f"pair {name}: its facts or changes cannot be read ({error})") from error
    return ImagePair(
        pair_id=name,
        domain=row["domain"],
        original=decode((row["original"] or {}).get("bytes"), f"pair {name}, original"),
        modified=decode((row["modified"] or {}).get("bytes"), f"pair {name}, modified"),
        changes=changes,
        original_facts=facts[0],
        modified_facts=facts[1],
    )


class Batches(Protocol):
    """Rows of a pairs table, a few at a time: a table in memory, or files that are larger than it; and what its sources saw."""

    @property
    def reports(self) -> tuple[SourceReport, ...]: ...

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        """All rows in order, at most ``size`` at a time."""


@dataclass(frozen=True)
class PairTable:
    """An immutable table of pairs in memory; ``reports`` say what the sources of the pairs saw."""

    rows: pa.Table
    reports: tuple[SourceReport, ...] = ()

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[int, ImagePair]], split: Split) -> PairTable:
        """A table of pairs, each with its position, in order."""
        return cls(pa.Table.from_pylist([to_row(pair, split, position) for position, pair in pairs], schema=SCHEMA))

    @classmethod
    def read(cls, path: Path) -> PairTable:
        """The table of a parquet file.

        Raises:
            PairsError: the file is missing, unreadable, or has other columns.
        """
        try:
            rows = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise PairsError(f"{path} is not a readable parquet file: {error}") from error
        missing = [name for name in SCHEMA.names if name not in rows.column_names]
        if missing:
            raise PairsError(f"{path} is not a pairs table: it has no column {', '.join(missing)}")
        try:
            return cls(rows.select(SCHEMA.names).cast(SCHEMA), reports_in(rows.schema.metadata))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise PairsError(f"{path} is not a pairs table: {error}") from error

    def write(self, path: Path) -> None:
        """One parquet file; small row groups, so that readers can stream the images."""
        told = reports_metadata(self.reports)
        rows = self.rows.replace_schema_metadata({**(self.rows.schema.metadata or {}), **told}) if told else self.rows
        pq.write_table(rows, path, row_group_size=100)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @property
    def ids(self) -> list[str]:
        return list(self.rows["pair_id"].to_pylist())

    def pairs(self, start: int = 0, stop: int | None = None) -> Iterator[ImagePair]:
        """The pairs of rows ``start`` to ``stop``, decoded one after another."""
        for batch in self.rows.slice(start, None if stop is None else stop - start).to_batches(max_chunksize=16):
            for row in batch.to_pylist():
                yield from_row(row)

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        """All rows in order, at most ``size`` at a time."""
        yield from self.rows.to_batches(max_chunksize=size)

    def of_split(self, split: Split) -> PairTable:
        """The rows of one split, in order."""
        return PairTable(self.rows.filter(pa.compute.equal(self.rows["split"], split)))

    def at_positions(self, positions: range) -> PairTable:
        """The rows at those positions, in order."""
        found = self.rows["position"]
        inside = pa.compute.and_(
            pa.compute.greater_equal(found, positions.start), pa.compute.less(found, max(positions.start, positions.stop))
        )
        return PairTable(self.rows.filter(inside))

    def without(self, ids: Iterable[str]) -> PairTable:
        """All rows but those."""
        mask = pa.compute.is_in(self.rows["pair_id"], pa.array(list(ids), pa.string()))
        return PairTable(self.rows.filter(pa.compute.invert(mask)))

    def only(self, ids: Iterable[str]) -> PairTable:
        """Just those rows, in the table's order."""
        return PairTable(self.rows.filter(pa.compute.is_in(self.rows["pair_id"], pa.array(list(ids), pa.string()))))


def stride(games: int, spare: float) -> int:
    """Positions of one iteration: its games and the spare share of them, rounded up."""
    return games + -int(-games * spare // 1)


@dataclass(frozen=True)
class PairSampler:
    """Which pairs of a validated table an iteration plays with: the next valid ones of its own range.

    Every pair has a position; iteration t owns the positions [t * stride, (t + 1) * stride), a few more than it has games. Pairs
    that validation took out leave holes that the spare ones fill, and no iteration ever plays another's pairs: a run that was
    resumed sees the same images as one that was not.
    """

    table: PairTable
    games: int
    stride: int

    def of_iteration(self, iteration: int) -> list[ImagePair]:
        """The pairs of an iteration's games, in order.

        Raises:
            PairsError: fewer valid pairs are left than there are games.
        """
        own = self.table.at_positions(range(iteration * self.stride, (iteration + 1) * self.stride))
        if len(own) < self.games:
            raise PairsError(
                f"iteration {iteration} has {len(own)} valid pairs for {self.games} games: raise pairs.spare or mend the source"
            )
        return [*PairTable(own.rows.sort_by("position")).pairs(0, self.games)]


def joined(tables: Sequence[PairTable]) -> PairTable:
    """The rows of all tables, one table after another, and what all their sources saw."""
    rows = pa.concat_tables([table.rows for table in tables]) if tables else SCHEMA.empty_table()
    return PairTable(rows, merged(report for table in tables for report in table.reports))


def reports_metadata(reports: Sequence[SourceReport]) -> dict[bytes, bytes]:
    """Reports as an entry of a parquet file's metadata; none for none."""
    return {REPORTS: _REPORTS.dump_json(tuple(reports))} if reports else {}


def reports_in(metadata: Mapping[bytes, bytes] | None) -> tuple[SourceReport, ...]:
    """The reports in a parquet file's metadata.

    Raises:
        PairsError: they cannot be read.
    """
    try:
        return _REPORTS.validate_json((metadata or {}).get(REPORTS, b"[]"))
    except ValidationError as error:
        raise PairsError(f"the reports of the sources in a pairs table cannot be read: {error.errors()[0]['msg']}") from error
