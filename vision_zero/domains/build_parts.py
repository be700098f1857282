"""Pairs that are built in parts by separate runs, each in a folder of its own below one that all share.

    FOLDER/part-00003-of-00016/
        begun.json          which settings the part has
        made/               files that are whole, while it is being made: a run that was killed is continued from them
        pairs/, quarantined/, verdict.json and pages, as of any run of ``build_pairs``
        identities.parquet  what each pair shows, to compare it with those of other parts
        part.json           the part is finished

:mod:`vision_zero.domains.join_parts` joins them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.base import Config, read_json
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.data.shards import PairShards
from vision_zero.data.validation.verdict import Verdict
from vision_zero.domains.registry import domain_of
from vision_zero.errors import PairsError
from vision_zero.fingerprints import digest, file_sha256

BEGUN, FINISHED, IDENTITIES = "begun.json", "part.json", "identities.parquet"
PARTS = "part-*-of-*"
KINDS = ("pairs", "quarantined")


class PartFile(Config):
    """A file of a finished part or of joined ones.

    Attributes:
        path: relative to the folder of the part, or of the joined parts.
        sha256: of its content, in hexadecimal.
    """

    path: str
    rows: int
    bytes: int
    sha256: str


class PartRecord(Config):
    """What a finished part holds.

    Attributes:
        settings: fingerprint of all settings but the part's number, and of the files that pairs are made of.
        distance: ``quality.duplicate_distance``.
        reasons: quarantined pairs by reason.
    """

    part: int
    parts: int
    settings: str
    distance: int
    checked: int
    passed: int
    reasons: dict[str, int]
    files: tuple[PartFile, ...]


class _Begun(Config):
    settings: str


def part_folder(config: BuildPairsConfig) -> Path:
    """The folder of a part; runs of the same part have the same one."""
    return Path(config.folder) / f"part-{config.part:05d}-of-{config.parts:05d}"


@contextmanager
def part_in_work(config: BuildPairsConfig, folder: Path) -> Iterator[None]:
    """Context in which this run alone makes the part in a folder.

    Raises:
        PairsError: the part is finished, is being made by another run, or was begun with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "making.lock", timeout=0):
            if (folder / FINISHED).exists():
                raise PairsError(
                    f"part {config.part} of {config.parts} is finished in {folder}: vision-zero join-pairs {folder.parent} joins "
                    "the parts when all are"
                )
            settings = settings_of(config)
            if (folder / BEGUN).exists():
                _check_begun(folder, settings)
            write_atomically(folder / BEGUN, _Begun(settings=settings).model_dump_json(indent=1))
            yield
    except Timeout:
        raise PairsError(f"another run makes part {config.part} of {config.parts} in {folder}: wait for it to end") from None


def settings_of(config: BuildPairsConfig) -> str:
    """Fingerprint of what all parts must have in common."""
    settings = getattr(config, config.domain)
    return digest(config.model_dump_json(exclude={"part", "processes", "folder"}), domain_of(config.domain).files(settings))


def _check_begun(folder: Path, settings: str) -> None:
    if read_json(_Begun, folder / BEGUN, PairsError).settings != settings:
        raise PairsError(f"{folder} was begun with other settings or source files: set them back, or delete it")


def finish_part(config: BuildPairsConfig, folder: Path, verdict: Verdict, identities: pa.Table) -> PartRecord:
    """Record that a part is finished, when its files are in the folder.

    Args:
        identities: of all its pairs, see :func:`vision_zero.data.validation.quality.identities`.

    Raises:
        PairsError: source files have changed since the part was begun.
    """
    settings = settings_of(config)
    # Making a part can take hours. Source files that were replaced meanwhile are noticed only by a second fingerprint at the end.
    _check_begun(folder, settings)
    pq.write_table(identities, folder / IDENTITIES)
    files = [file_record(path, folder) for kind in KINDS for path in PairShards(folder / kind).files()]
    record = PartRecord(
        part=config.part,
        parts=config.parts,
        settings=settings,
        distance=config.quality.duplicate_distance,
        checked=verdict.checked,
        passed=verdict.passed,
        reasons=verdict.reasons,
        files=tuple(files),
    )
    write_atomically(folder / FINISHED, record.model_dump_json(indent=1))
    return record


def file_record(path: Path, folder: Path) -> PartFile:
    """What is recorded of a parquet file below a folder."""
    return PartFile(
        path=path.relative_to(folder).as_posix(),
        rows=pq.read_metadata(path).num_rows,
        bytes=path.stat().st_size,
        sha256=file_sha256(path),
    )
