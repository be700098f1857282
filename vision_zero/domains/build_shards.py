"""Making the pairs of one source in any number, straight into files: memory does not grow with the number of pairs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.shards import PairShards, ShardWriter, write_pairs
from vision_zero.data.source import PairSource
from vision_zero.data.source_report import SourceReport, merged
from vision_zero.data.splits import Split, SplitFilter
from vision_zero.domains.build import source_of
from vision_zero.domains.build_parts import part_in_work
from vision_zero.domains.registry import domain_of
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed


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
            told = [done.result() for done in [processes.submit(_run, config, task, folder) for task in tasks]]
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
