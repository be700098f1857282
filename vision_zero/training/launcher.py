"""Training in several processes: a launch of :mod:`vision_zero.training.worker` by torch.distributed.run.

The processes get the job as plain files and give the result back as plain files. If one of them dies the launcher ends the
others; if this process dies they end by themselves. A launch that fails leaves nothing behind. On several machines this one is
node 0, and the others are told of the job in a folder that all share (:mod:`vision_zero.training.node`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import torch

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.learning import MachinesConfig, Stage
from vision_zero.errors import TrainingError
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.job_folder import JobFolder
from vision_zero.training.out_of_memory import free_memory

WORKER = "vision_zero.training.worker"
"""The module that each process runs."""
JOBS = "processes-"
"""The folders of jobs begin with this."""
ANNOUNCED = "rendezvous.json"
"""The file that tells the other machines where to meet, in the folder of a job; it appears when the job is complete."""
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
    beside = job.folder if machines is None else _shared(machines)
    with TemporaryDirectory(prefix=JOBS, dir=beside) as name:
        folder = Path(name)
        if machines is None:
            arguments = ["--standalone", f"--nproc-per-node={number}"]
            JobFolder(folder).write(stage, job)
        else:
            arguments = launch_arguments(machines, number, node=0)
            JobFolder(folder).write(stage, replace(job, parent=job.parent.copy_to(folder / "parent")))
            write_atomically(folder / ANNOUNCED, json.dumps({"machines": machines.model_dump(), "processes": number}))
        _launch(folder, arguments, number, job.learning.num_processes)
        result = JobFolder(folder).read_result()
        assert result.policy.path is not None
        return replace(result, policy=result.policy.copy_to(job.folder / result.policy.path.name))


def _shared(machines: MachinesConfig) -> Path:
    folder = Path(machines.folder)
    if not folder.is_dir():
        raise TrainingError(f"there is no folder {folder}: learning.machines.folder must be one that all machines share")
    return folder


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


def _launch(folder: Path, arguments: Sequence[str], number: int, of_all: int) -> None:
    status = run_workers(folder, arguments, number)
    if status:
        failure = folder / FAILURE
        what = failure.read_text(encoding="utf-8") if failure.is_file() else f"one ended without a word (status {status})"
        raise TrainingError(f"training in {of_all} processes failed, and their output above says where: {what}")


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
