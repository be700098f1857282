"""One of the processes that train together: ``python -m torch.distributed.run … -m vision_zero.training.worker FOLDER``.

Started by :mod:`vision_zero.training.launcher`, never by hand. All processes do the same; the first one writes the result
and is the only one that speaks to trackers.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from vision_zero.config.tracking import TrackedRun
from vision_zero.errors import VisionZeroError, one_line
from vision_zero.training.job_folder import read_job, write_result
from vision_zero.training.launcher import FAILURE, end_with_starter
from vision_zero.training.self_play import train_here

PATIENCE = timedelta(minutes=15)
"""How long the others wait for one that neither answers nor dies; the shares are equal, so waits are much shorter."""


def main(folder: Path) -> None:
    """Do the folder's job together with the other processes, and end this one.

    Raises:
        VisionZeroError: as in one process.
    """
    end_with_starter()
    rank, device = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    try:
        # Before transformers does it, which on a CPU would leave torch's own timeout.
        if torch.cuda.is_available():
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
        stage, job = read_job(folder)
        result = train_here(stage, job if rank == 0 else replace(job, tracked=TrackedRun()))
        if rank == 0:
            write_result(folder, result)
    except Exception as error:
        kind = "" if isinstance(error, VisionZeroError) else f"{type(error).__name__}: "
        # The first failure is the cause; the others fail because they lost a partner.
        with suppress(FileExistsError), (folder / FAILURE).open("x", encoding="utf-8") as file:
            file.write(f"rank {rank}: {kind}{one_line(error)}")
        raise
    distributed.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # what was done is written, and torch's threads have been seen to abort a process that was taking itself down


if __name__ == "__main__":
    main(Path(sys.argv[1]))
