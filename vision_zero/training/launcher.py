"""Training in several processes: a launch of :mod:`vision_zero.training.worker` by torch.distributed.run.

The processes get the job as plain files and give the result back as plain files. If one of them dies the launcher ends the
others; if this process dies they end by themselves. A launch that fails leaves nothing behind.

On several machines the one whose step trains is node 0. It writes a job into a folder that all share, and then the file
``ANNOUNCED`` beside it. Every other node runs :func:`serve_node`, takes each job once, and starts its processes of it by
torch.distributed.run with the same rendezvous.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import torch

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.learning import MachinesConfig, Stage
from vision_zero.errors import TrainingError
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.job_folder import read_result, write_job
from vision_zero.training.out_of_memory import free_memory

_LOGGER = logging.getLogger(__name__)
WORKER = "vision_zero.training.worker"
"""The module that each process runs."""
JOBS = "processes-"
"""The folders of jobs begin with this."""
ANNOUNCED = "rendezvous.json"
"""The file that tells the other machines where to meet, in the folder of a job; it appears when the job is complete."""
LOOKS_EVERY = 0.5
"""Seconds between a node's looks into the shared folder."""
FAILURE = "failure.txt"
"""The process that fails first says here in one line which it is and what happened."""


def train_in_processes(stage: Stage, job: StageJob) -> StageResult:
    """Train a stage in ``learning.num_processes`` processes and wait for the result.

    Raises:
        TrainingError: there are fewer GPUs than processes, a process failed (its output, with the traceback, came before), or
            there is no folder that the machines share.
    """
    machines = job.learning.machines
    number = job.learning.num_processes // (1 if machines is None else machines.nodes)
    _check_devices(number)
    free_memory()
    job.folder.mkdir(parents=True, exist_ok=True)
    beside = job.folder if machines is None else Path(machines.folder)
    if not beside.is_dir():
        raise TrainingError(f"there is no folder {beside}: learning.machines.folder must be one that all machines share")
    with TemporaryDirectory(prefix=JOBS, dir=beside) as name:
        folder = Path(name)
        if machines is None:
            arguments = ["--standalone", f"--nproc-per-node={number}"]
            write_job(folder, stage, job)
        else:
            arguments = launch_arguments(machines, number, node=0)
            write_job(folder, stage, replace(job, parent=job.parent.copy_to(folder / "parent")))
            write_atomically(folder / ANNOUNCED, json.dumps({"machines": machines.model_dump(), "processes": number}))
        status = run_workers(folder, arguments, number)
        if status:
            failure = folder / FAILURE
            what = failure.read_text(encoding="utf-8") if failure.is_file() else f"one ended without a word (status {status})"
            of_all = job.learning.num_processes
            raise TrainingError(f"training in {of_all} processes failed, and their output above says where: {what}")
        result = read_result(folder)
        assert result.policy.path is not None
        return replace(result, policy=result.policy.copy_to(job.folder / result.policy.path.name))


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


def end_with_starter() -> None:
    """Called by a worker: from now on it ends at once when the process that started it has ended, however that happened.

    Its input is the far end of a pipe that this process holds open, and that the system closes when this process is killed.
    """
    Thread(target=_exit_at_end_of_input, daemon=True).start()


def _exit_at_end_of_input() -> None:
    os.read(0, 1)
    os._exit(1)


def _check_devices(number: int) -> None:
    if torch.cuda.is_available() and number > torch.cuda.device_count():
        raise TrainingError(
            f"learning.num_processes is {number} on each machine, but this one shows {torch.cuda.device_count()} GPUs: "
            "each process needs one of its own; lower it"
        )


def launch_arguments(machines: MachinesConfig, processes: int, node: int) -> list[str]:
    """torch.distributed.run's arguments on one of several machines; ``processes`` are its own."""
    host, _, port = machines.endpoint.rpartition(":")
    rendezvous = [f"--nnodes={machines.nodes}", f"--node-rank={node}", f"--master-addr={host}", f"--master-port={port}"]
    return [*rendezvous, f"--nproc-per-node={processes}"]


def run_workers(folder: Path, arguments: Sequence[str], number: int) -> int:
    """Run this machine's workers, with their output in ours as it comes; returns torch.distributed.run's exit status.

    Args:
        folder: the job's.
        arguments: of torch.distributed.run.
        number: of workers on this machine.
    """
    command = [sys.executable, "-m", "torch.distributed.run", *arguments, "-m", WORKER, str(folder)]
    # Nothing is ever written to the workers' input; that it is open tells them that somebody waits for them.
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=_environment(number),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
        return process.wait()


def _environment(number: int) -> dict[str, str]:
    """Ours, with this very code for the workers to import, and the cores shared among them."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = str(max(1, torch.get_num_threads() // number))
    return {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
