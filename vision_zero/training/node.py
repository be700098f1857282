"""One of several machines that train together: its processes join those of the machine whose step trains.

The step's machine is node 0. It writes a job into the shared folder, and then the file ``ANNOUNCED`` beside it. Every other node
runs :func:`serve_node`, takes each job once, and starts its processes of it by torch.distributed.run with the same rendezvous.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vision_zero.config.learning import MachinesConfig
from vision_zero.errors import TrainingError
from vision_zero.training.launcher import ANNOUNCED, JOBS, launch_arguments, run_workers

_LOGGER = logging.getLogger(__name__)
LOOKS_EVERY = 0.5
"""Seconds between looks into the shared folder."""


def serve_node(folder: Path, node: int, jobs: int | None = None) -> int:
    """Take part in the jobs of a shared folder as one of the machines; for good, or until so many jobs are done.

    A job that fails is logged; the step that it belongs to says why.

    Args:
        node: this machine's number, from 1 on.

    Returns:
        How many jobs failed.

    Raises:
        TrainingError: there is no such folder.
    """
    if not folder.is_dir():
        raise TrainingError(f"there is no folder {folder}: it must be learning.machines.folder, which all machines share")
    failed = 0
    for number, (job, machines, processes) in enumerate(_jobs(folder, node), 1):
        if not 0 < node < machines.nodes:
            raise TrainingError(f"node {node} is none of 1 to {machines.nodes - 1}: learning.machines.nodes is {machines.nodes}")
        _LOGGER.info("%s: %d processes join at %s", job.name, processes, machines.endpoint)
        status = run_workers(job, launch_arguments(machines, processes, node), processes)
        if status:
            failed += 1
            _LOGGER.warning("%s failed here with status %d", job.name, status)
        if number == jobs:
            break
    return failed


def _jobs(folder: Path, node: int) -> Iterator[tuple[Path, MachinesConfig, int]]:
    """Jobs as they are announced, each once for each node."""
    while True:
        for announced in sorted(folder.glob(f"{JOBS}*/{ANNOUNCED}")):
            told = _taken(announced, node)
            if told is not None:
                yield announced.parent, MachinesConfig.model_validate(told["machines"]), int(told["processes"])
        time.sleep(LOOKS_EVERY)


def _taken(announced: Path, node: int) -> dict[str, Any] | None:
    """What was announced; None if this node has taken it before, or it is over."""
    try:
        os.close(os.open(announced.with_name(f"node-{node}"), os.O_CREAT | os.O_EXCL))
        told: dict[str, Any] = json.loads(announced.read_text(encoding="utf-8"))
    except (FileExistsError, FileNotFoundError):
        return None
    return told
