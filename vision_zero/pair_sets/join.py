"""Joins the parts of pairs that separate runs have built, into one folder with one manifest.

Validation of a part compares its pairs with each other. Here those of all parts are compared, by the hashes that the parts have
recorded: a pair that repeats one of another part, or shows what a held-out pair of another part shows, is quarantined, as it
would have been in one run. Files of which nothing is taken out are linked, not copied, where the file system can.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vision_zero.atomic_dir import atomic_dir
from vision_zero.config_base import Config, read_json
from vision_zero.data.shards import ROWS_AT_ONCE, PairShards, writing
from vision_zero.errors import PairsError, one_line
from vision_zero.pair_sets.parts import FINISHED, IDENTITIES, KINDS, PARTS, PartFile, PartRecord, file_record
from vision_zero.validation.dedup import find_duplicates

MANIFEST = "manifest.json"
REPEATS = "repeats a pair of another part"
LEAKS = "shows what a held-out pair of another part shows"


class Manifest(Config):
    """All pairs of all parts.

    Attributes:
        settings: fingerprint of the settings and source files that all parts have in common.
        splits: passed pairs by split.
        reasons: quarantined pairs by reason, those of the parts and those between parts.
        files: passed pairs below ``pairs``, others below ``quarantined``.
    """

    parts: int
    settings: str
    checked: int
    passed: int
    splits: dict[str, int]
    reasons: dict[str, int]
    files: tuple[PartFile, ...]


def join_parts(folder: Path, target: Path) -> Manifest:
    """Join all parts below a folder; an older target is replaced when the new one is whole.

    Raises:
        PairsError: the target holds something else, parts are missing or differ in their settings, or a file is not as it was
            recorded.
    """
    if (target / MANIFEST).is_file():
        read_json(Manifest, target / MANIFEST, PairsError)
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise PairsError(f"{target} holds something that was not joined there: nothing is touched; name another --out")
    parts = _finished(folder)
    taken_out = _between_parts(parts)
    with writing(target), atomic_dir(target) as fresh:
        for kind in KINDS:
            (fresh / kind).mkdir()
        removed: list[pa.Table] = []
        for record, path in parts:
            for file in record.files:
                removed += _moved(path, file, fresh / _joined_name(record, file), taken_out)
        if removed:
            pq.write_table(
                pa.concat_tables(removed), fresh / "quarantined" / "between-parts.parquet", row_group_size=ROWS_AT_ONCE
            )
        manifest = _manifest([record for record, _ in parts], fresh, taken_out)
        (fresh / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return manifest


def _finished(folder: Path) -> list[tuple[PartRecord, Path]]:
    """Records and folders of the parts, in order."""
    found = sorted(path for path in folder.glob(PARTS) if path.is_dir())
    if not found:
        raise PairsError(f"there are no parts in {folder}: run build_pairs with parts, and this folder as folder")
    open_ones = [path.name for path in found if not (path / FINISHED).is_file()]
    if open_ones:
        raise PairsError(f"not finished: {', '.join(open_ones)}; run build_pairs again for each")
    records = [read_json(PartRecord, path / FINISHED, PairsError) for path in found]
    first = records[0]
    others = [path.name for record, path in zip(records, found, strict=True) if record.settings != first.settings]
    if others:
        raise PairsError(f"{', '.join(others)}: built with other settings or source files than {found[0].name}")
    missing = sorted({*range(first.parts)} - {record.part for record in records})
    if missing:
        raise PairsError(f"of {first.parts} parts these are missing: {', '.join(map(str, missing))}; run build_pairs for each")
    return list(zip(records, found, strict=True))


def _between_parts(parts: Sequence[tuple[PartRecord, Path]]) -> dict[str, str]:
    """The reason for each pair that passed in its part and does not among all."""
    frame = pd.concat([_identities(path / IDENTITIES) for _, path in parts], ignore_index=True)
    frame = frame.sort_values(["split", "position"], ignore_index=True)  # as one run would have made them: held_out, train
    repeats = find_duplicates(frame, parts[0][0].distance)
    found = {}
    for pair_id, table, again, leak in zip(
        frame["pair_id"], frame["table"], repeats.duplicate_of, repeats.leaks_from, strict=True
    ):
        if table == KINDS.index("pairs") and (again or leak):
            found[pair_id] = REPEATS if again else LEAKS
    return found


def _identities(path: Path) -> pd.DataFrame:
    try:
        return pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise PairsError(
            f"{path} cannot be read ({one_line(error)}): delete the part, and run build_pairs for it again"
        ) from error


def _joined_name(record: PartRecord, file: PartFile) -> str:
    kind, name = file.path.split("/")
    return f"{kind}/part-{record.part:05d}-{name}"


def _moved(part: Path, file: PartFile, target: Path, taken_out: dict[str, str]) -> list[pa.Table]:
    """Put a part's file into its place, without what is taken out, which is returned."""
    source = part / file.path
    if not source.is_file() or source.stat().st_size != file.bytes:
        raise PairsError(f"{source} is not as its part recorded it: delete the part, and run build_pairs for it again")
    ids = pq.read_table(source, columns=["pair_id"])["pair_id"].to_pylist() if file.path.startswith("pairs/") else []
    if not any(pair_id in taken_out for pair_id in ids):
        _linked(source, target)
        return []
    rows = pq.read_table(source)
    is_out = pa.array([pair_id in taken_out for pair_id in ids], pa.bool_())
    kept = rows.filter(pc.invert(is_out))
    if kept.num_rows:
        pq.write_table(kept, target, row_group_size=ROWS_AT_ONCE)
    return [rows.filter(is_out).replace_schema_metadata(None)]


def _linked(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _manifest(records: Sequence[PartRecord], folder: Path, taken_out: dict[str, str]) -> Manifest:
    recorded = {_joined_name(record, file): file for record in records for file in record.files}
    files = []
    for path in (path for kind in KINDS for path in PairShards(folder / kind).files()):
        name = path.relative_to(folder).as_posix()
        known = recorded.get(name)
        is_as_it_was = known is not None and known.bytes == path.stat().st_size
        files.append(known.model_copy(update={"path": name}) if known and is_as_it_was else file_record(path, folder))
    reasons = sum((Counter(record.reasons) for record in records), Counter(taken_out.values()))
    return Manifest(
        parts=len(records),
        settings=records[0].settings,
        checked=sum(record.checked for record in records),
        passed=sum(record.passed for record in records) - len(taken_out),
        splits=dict(sorted(PairShards(folder / "pairs").count("split").items())),
        reasons=dict(sorted(reasons.items())),
        files=tuple(files),
    )
