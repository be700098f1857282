"""The library's worker, but the second process fails while the first one waits for it, as the environment says.

FAILING=raise|hang python -m torch.distributed.run … -m tests.training.failing FOLDER
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from vision_zero.training import worker
from vision_zero.training.loop import StageLoop

_rollout = StageLoop.rollout


def _play_or_fail(loop, rows, players):
    """One iteration goes well, so that the failure comes in the midst of training."""
    if loop.trainer.accelerator.process_index == 0 or loop.iteration == 0:
        return _rollout(loop, rows, players)
    if os.environ["FAILING"] == "raise":
        raise RuntimeError("the second process\nhas had enough")
    time.sleep(1000)
    return None


if __name__ == "__main__":
    StageLoop.rollout = _play_or_fail
    worker.PATIENCE = timedelta(seconds=float(os.environ.get("PATIENCE", "1000")))
    worker.main(Path(sys.argv[1]))
