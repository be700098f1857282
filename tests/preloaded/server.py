"""Imports what is slow to import, once, and forks for each client; ends with the process whose id it is given.

For each client two processes are forked: one that runs what was asked, and one that tells it the client's signals and the client
its exit status. If the client is killed, so is what runs for it.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

PACKAGES = (
    *("torch", "torch.distributed.run"),
    *("transformers.trainer", "transformers.models.qwen2_5_vl.modeling_qwen2_5_vl", "transformers.models.auto.modeling_auto"),
    *("trl.trainer.grpo_trainer", "peft", "datasets", "accelerate", "safetensors.torch", "tokenizers"),
    *("zenml.cli.cli", "zenml.client", "zenml.zen_stores.sql_zen_store", "zenml.orchestrators.step_launcher", "zenml.pipelines"),
    *("great_expectations", "pandas", "pyarrow.parquet", "scipy.stats", "scipy.optimize", "skimage.measure", "imagehash"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "jinja2", "fsspec", "click", "pydantic", "yaml"),
)
"""None of them ours."""
ABOVE = 512
"""Files are moved out of the way, above this number, before they get the numbers that the client has them by."""


def main() -> None:
    address, watched = sys.argv[1], int(sys.argv[2])
    for name in PACKAGES:
        importlib.import_module(name)
    assert threading.active_count() == 1, "a fork has only the thread that forks"
    assert not any(name.startswith("vision_zero.") for name in sys.modules)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the forks that serve are not waited for
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{address}.new")
    listening.listen(64)
    Path(f"{address}.new").rename(address)
    ended = os.pidfd_open(watched)
    while True:
        ready, _, _ = select.select([listening, ended], [], [])
        if ended in ready:
            return
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            os.close(ended)
            serve(connection)
        connection.close()


def serve(connection: socket.socket) -> NoReturn:
    """Fork what is asked for, and wait for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(connection, 4, 253)
    message = b""
    while len(message) < int.from_bytes(size, "big"):
        piece = connection.recv(1 << 16)
        if not piece:
            os._exit(1)
        message += piece
    asked = json.loads(message)
    child = os.fork()
    if child == 0:
        connection.close()
        become(asked, files)
        end(status_of(asked["arguments"]))
    for number in (*files, 0, 1, 2):
        os.close(number)
    wait(connection, child)


def wait(connection: socket.socket, child: int) -> NoReturn:
    """Pass signals on until the child has ended, and then its status back."""
    ended = os.pidfd_open(child)
    while True:
        ready, _, _ = select.select([connection, ended], [], [])
        if ended in ready:
            break
        numbers = connection.recv(64)
        for number in numbers or bytes([signal.SIGKILL]):
            os.kill(child, number)
        if not numbers:
            break
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        connection.sendall(status.to_bytes(4, "big"))
    os._exit(0)


def become(asked: dict, files: list[int]) -> None:
    """Take the client's mounts, its files by its numbers, its folder and its environment."""
    for kind in ("user", "mnt"):
        namespace = Path(f"/proc/{asked['process']}/ns/{kind}")
        if namespace.stat().st_ino != Path(f"/proc/self/ns/{kind}").stat().st_ino:
            with namespace.open() as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
                    raise OSError(ctypes.get_errno(), "setns")
    moved = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, ABOVE) for number in files]
    os.closerange(0, ABOVE)
    for number, target in zip(moved, asked["files"], strict=True):
        os.dup2(number, target)
        os.close(number)
    for target in asked["files"]:
        if target > 2:
            os.set_inheritable(target, True)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def status_of(arguments: list[str]) -> int:
    """Run them and return the exit status that Python ends with; negative where a signal ends it."""
    try:
        run(arguments)
    except SystemExit as leave:
        if leave.code is None or isinstance(leave.code, int):
            return leave.code or 0
        print(leave.code, file=sys.stderr)  # noqa: T201 (as Python does)
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        return -signal.SIGINT
    except BaseException:  # noqa: BLE001 (as Python does)
        traceback.print_exc()
        return 1
    return 0


def end(status: int) -> NoReturn:
    """As Python ends, but that nothing is freed: with so much imported that takes as long as the imports."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def run(arguments: list[str]) -> None:
    """What ``python ARGUMENTS`` runs, with ``-m``, ``-c`` or a file.

    Python's own command takes one of the environment's ``PYTHON…`` beside: PYTHONPATH; PYTHONUNBUFFERED is as ``-u``.
    """
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    program, rest = "", list(arguments)
    while rest and rest[0].startswith("-"):
        flags = rest.pop(0)
        unbuffered = unbuffered or "u" in flags
        if flags[-1] in "mc":
            program = flags[-1]
            break
    if unbuffered:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(write_through=True)
    name, *words = rest
    sys.executable = os.environ["PRELOADED_PYTHON"]
    added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    first = str(Path.cwd()) if program == "m" else "" if program == "c" else str(Path(name).resolve().parent)
    sys.path[:1] = [first, *added]
    importlib.invalidate_caches()
    sys.argv = ["-c" if program == "c" else name, *words]
    if program == "m":
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    elif program == "c":
        exec(compile(name, "<string>", "exec"), vars(sys.modules["__main__"]) | {"__name__": "__main__"})
    else:
        runpy.run_path(name, run_name="__main__")


if __name__ == "__main__":
    main()
