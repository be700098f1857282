"""Stands for an interpreter: sends arguments, environment, folder and open files to the server, and ends as the fork does.

Run as ``python -IS client.py SOCKET ARGUMENTS``, which takes some 20 ms.
"""

import json
import os
import signal
import socket
import sys
from contextlib import suppress

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main() -> None:
    address, *arguments = sys.argv[1:]
    # pathlib takes as long to import as all the rest. The folder that is listed is open meanwhile, and then no more.
    files = [number for number in map(int, os.listdir("/proc/self/fd")) if _is_open(number)]  # noqa: PTH208
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)

    def forward(number: int, _: object) -> None:
        with suppress(OSError):
            connection.send(bytes([number]))

    for number in FORWARDED:
        signal.signal(number, forward)
    asked = {
        "process": os.getpid(),
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109
        "files": files,
    }
    message = json.dumps(asked).encode()
    socket.send_fds(connection, [len(message).to_bytes(4, "big")], files)
    connection.sendall(message)
    status = connection.recv(4)
    if len(status) < 4:
        sys.exit("the server of preloaded interpreters has ended")
    code = os.waitstatus_to_exitcode(int.from_bytes(status, "big"))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    os._exit(code)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
