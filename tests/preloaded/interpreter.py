"""Commands that are forks of one interpreter, which all processes of a test session share."""

import fcntl
import subprocess
import sys
import time
from pathlib import Path

CLIENT, SERVER = (Path(__file__).with_name(name) for name in ("client.py", "server.py"))
COMMANDS = ("zenml", "vision-zero")
"""Scripts that are installed beside Python."""


def start(folder: Path, watched: int) -> Path:
    """The folder with the commands, whose server is started if nobody has.

    Args:
        folder: where its socket and commands go; the same for all processes of a session.
        watched: the process with whose end it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address, commands = folder / "socket", folder / "bin"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if commands.is_dir():
            return commands
        commands.mkdir()
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [sys.executable, SERVER, address, str(watched)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not address.exists():
            if server.poll() is not None:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.05)
        beside = Path(sys.executable).parent
        for name, words in (("python", ""), *((name, beside / name) for name in COMMANDS)):
            script = commands / name
            environment = f"PRELOADED_PYTHON='{commands / 'python'}'"
            script.write_text(f'#!/bin/sh\n{environment} exec {sys.executable} -IS {CLIENT} {address} {words} "$@"\n')
            script.chmod(0o755)
    return commands
