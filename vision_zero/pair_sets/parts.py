"""Making the pairs of one source in any number, straight into files: memory does not grow with the number of pairs.

They may be built in parts by separate runs, each in a folder of its own below one that all share.

    FOLDER/part-00003-of-00016/
        begun.json          which settings the part has
        made/               files that are whole, while it is being made: a run that was killed is continued from them
        pairs/, quarantined/, verdict.json and pages, as of any run of ``build_pairs``
        identities.parquet  what each pair shows, to compare it with those of other parts
        part.json           the part is finished

:mod:`vision_zero.pair_sets.join` joins them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.config_base import Config, read_json
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.shards import PairShards, ShardWriter, write_pairs, writing
from vision_zero.data.source import PairSource
from vision_zero.data.source_report import SourceReport, merged
from vision_zero.data.splits import Split, SplitFilter
from vision_zero.domains.registry import domain_of
from vision_zero.errors import PairsError
from vision_zero.fingerprints import digest, file_sha256
from vision_zero.pair_sets.build import source_of
from vision_zero.randomness import Seed
from vision_zero.validation.verdict import Verdict

BEGUN, FINISHED, IDENTITIES = "begun.json", "part.json", "identities.parquet"
PARTS = "part-*-of-*"
KINDS = ("pairs", "quarantined")


@dataclass(frozen=True)
class _Task:
    """Positions of a split that one process makes."""

    split: Split
    positions: range


def make_pairs(config: BuildPairsConfig, folder: Path) -> PairShards:
    """Make all pairs of a configuration, or of its part; what was in the folder is gone, unless it is the beginning of that part.

    Raises:
        PairsError: the source has nothing to make pairs from, or can make none with these settings; or the part is finished, is
            being made by another run, or was begun with other settings.
    """
    if config.parts == 1:
        shutil.rmtree(folder, ignore_errors=True)
        return _make(config, _tasks(config), folder)
    tasks = _tasks(config)[config.part :: config.parts]
    if not tasks:
        raise PairsError(
            f"there are only {len(_tasks(config))} files of {config.pairs_per_file} pairs for {config.parts} parts: lower parts "
            "or pairs_per_file"
        )
    with part_in_work(config, folder.parent):
        return _make(config, [task for task in tasks if not _file_of(config, task, folder).exists()], folder)


def _make(config: BuildPairsConfig, tasks: list[_Task], folder: Path) -> PairShards:
    told: list[SourceReport | None]
    if config.processes == 1 or len(tasks) <= 1:
        told = [_run(config, task, folder) for task in tasks]
    else:
        # Fresh processes: a forked one would inherit the threads of whatever runs here, and hang.
        with ProcessPoolExecutor(min(config.processes, len(tasks)), mp_context=get_context("spawn")) as processes:
            try:
                told = [done.result() for done in [processes.submit(_run, config, task, folder) for task in tasks]]
            except BrokenProcessPool as error:
                words = f"one of {config.processes} processes was killed, usually for lack of memory: lower processes"
                raise PairsError(words) from error
    made = PairShards(folder)
    if not made.files():
        lines = [line for report in merged(report for report in told if report is not None) for line in report.lines()]
        raise PairsError("; ".join(["no pair could be made", *lines]))
    return made


def _tasks(config: BuildPairsConfig) -> list[_Task]:
    # Existing pairs are read in order by one process: what comes next depends on which of them are broken.
    size = config.train + config.held_out if domain_of(config.domain).is_read_in_order else config.pairs_per_file
    splits: tuple[tuple[Split, int], ...] = (("held_out", config.held_out), ("train", config.train))
    return [_Task(split, range(first, min(first + size, total))) for split, total in splits for first in range(0, total, size)]


def _name(config: BuildPairsConfig, task: _Task) -> str:
    return f"{task.split}-{task.positions.start // config.pairs_per_file:05d}"


def _file_of(config: BuildPairsConfig, task: _Task, folder: Path) -> Path:
    """The one file of a task of a part, which is there when the task is done."""
    return folder / f"{_name(config, task)}-00000.parquet"


def _run(config: BuildPairsConfig, task: _Task, folder: Path) -> SourceReport | None:
    # Where nothing is held out, nothing has to be kept apart.
    only = SplitFilter(task.split if config.held_out and config.train else None, config.held_out_share)
    source = source_of(config.domain, config, only)
    with ShardWriter(folder, _name(config, task), config.pairs_per_file) as writer:
        write_pairs(_pairs(config, task, source), task.split, writer)
        report = source.report()
        if report is not None:
            writer.reports = (report,)
    return report


def _pairs(config: BuildPairsConfig, task: _Task, source: PairSource) -> Iterator[tuple[int, ImagePair]]:
    seed = Seed(config.seed).child("build", task.split)
    if domain_of(config.domain).is_read_in_order:
        yield from enumerate(islice(source.each(seed), len(task.positions)))
        return
    for position in task.positions:
        yield position, source.at(position, seed.child(position), seed)


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
    with writing(folder):
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
        identities: of all its pairs, see :func:`vision_zero.validation.quality.identities`.

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
