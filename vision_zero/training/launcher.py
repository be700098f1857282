"""Training in several processes of one machine: a launch of :mod:`vision_zero.training.worker` by torch.distributed.run.

The processes get the job as plain files and give the result back as plain files. If one of them dies the launcher ends the
others; if this process dies they end by themselves. A launch that fails leaves nothing behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import torch

from vision_zero.config.learning import Stage
from vision_zero.errors import TrainingError
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.job_folder import JobFolder
from vision_zero.training.out_of_memory import free_memory

WORKER = "vision_zero.training.worker"
"""The module that each process runs."""
FAILURE = "failure.txt"
"""The process that fails first says here in one line which it is and what happened."""


def train_in_processes(stage: Stage, job: StageJob) -> StageResult:
    """Train a stage in ``learning.num_processes`` processes and wait for the result.

    Raises:
        TrainingError: there are fewer GPUs than processes, or a process failed; its output, with the traceback, came before.
    """
    number = job.learning.num_processes
    _check_devices(number)
    free_memory()
    job.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="processes-", dir=job.folder) as name:
        folder = JobFolder(Path(name)).write(stage, job)
        _launch(folder.path, number)
        result = folder.read_result()
        assert result.policy.path is not None
        return replace(result, policy=result.policy.copy_to(job.folder / result.policy.path.name))


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
            f"learning.num_processes is {number}, but this machine shows {torch.cuda.device_count()} GPUs: "
            "each process needs one of its own; lower it"
        )


def _launch(folder: Path, number: int) -> None:
    """Run the workers, with their output in ours as it comes."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={number}"]
    command = [*launcher, "-m", WORKER, str(folder)]
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
        status = process.wait()
    if status:
        failure = folder / FAILURE
        what = failure.read_text(encoding="utf-8") if failure.is_file() else f"one ended without a word (status {status})"
        raise TrainingError(f"training in {number} processes failed, and their output above says where: {what}")


def _environment(number: int) -> dict[str, str]:
    """Ours, with this very code for the workers to import, and the cores shared among them."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = str(max(1, torch.get_num_threads() // number))
    return {"OMP_NUM_THREADS": threads, **os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
