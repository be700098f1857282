"""A worker that only waits; with FAILING=kill the second process is killed, as by a system that is out of memory."""

import os
import signal
import sys
import time

from vision_zero.training.launcher import end_with_starter

WAITS = "waits"

if __name__ == "__main__":
    end_with_starter()
    if os.environ["FAILING"] == "kill" and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdout.write(f"{WAITS} {os.getpid()}\n")
    sys.stdout.flush()
    time.sleep(1000)
