"""A fork of the preloaded interpreter does what an interpreter of its own does with the same arguments."""

import os
import signal
import subprocess
import sys

import pytest

from tests.pipelines.test_bad_ends import can_mount

pytestmark = pytest.mark.cli

SCRIPT = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ["SAID"], sys.path[0], __name__, sys.stdin.read())
os.write(int(sys.argv[1]), b"by number")
print("wrong", file=sys.stderr)
sys.exit(7)
"""


def result(python, how, folder):
    reads, writes = os.pipe()
    (folder / "said.py").write_text(SCRIPT)
    program = {"-c": ["-c", SCRIPT], "-m": ["-um", "said"], "file": [str(folder / "said.py")]}[how]
    done = subprocess.run(
        [python, *program, str(writes)], cwd=folder, env=os.environ | {"SAID": "ä"}, input="asked", pass_fds=[writes],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(writes)
    with os.fdopen(reads) as pipe:
        return done.returncode, done.stdout.replace(f"['{writes}']", "[]"), done.stderr, pipe.read()


@pytest.mark.parametrize("how", ["-c", "-m", "file"])
def test_arguments_files_folder_environment_and_status(preloaded, tmp_path, how):
    found = result(preloaded / "python", how, tmp_path)
    assert found == result(sys.executable, how, tmp_path)
    assert found[0] == 7
    assert found[3] == "by number"


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("pass", 0),
        ("1 / 0", 1),
        ("raise SystemExit('in words')", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import atexit; atexit.register(print, 'at the end')", 0),
    ],
)
def test_every_way_to_end(preloaded, program, status):
    found, expected = (
        subprocess.run([python, "-c", program], capture_output=True, text=True, check=False, timeout=60)
        for python in (preloaded / "python", sys.executable)
    )
    assert (found.returncode, found.stdout) == (expected.returncode, expected.stdout)
    assert found.returncode == status
    assert found.stderr.splitlines()[-1:] == expected.stderr.splitlines()[-1:]


def test_signals_reach_it(preloaded):
    program = """
import signal
def heard(number, frame):
    raise SystemExit(f"heard {number}")
signal.signal(signal.SIGTERM, heard)
print("ready", flush=True)
signal.pause()
"""
    with subprocess.Popen(
        [preloaded / "python", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.communicate(timeout=60)[1] == "heard 15\n"


def test_it_ends_with_who_is_killed(preloaded):
    """Its output closes when nobody holds it any more."""
    program = "import signal; print('ready', flush=True); signal.pause()"
    with subprocess.Popen([preloaded / "python", "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()
        assert process.stdout.read() == ""


def test_our_own_code_is_imported_afresh(preloaded, tmp_path):
    (tmp_path / "vision_zero").mkdir()
    (tmp_path / "vision_zero" / "__init__.py").write_text("print('of this folder')")
    done = subprocess.run(
        [preloaded / "python", "-c", "import vision_zero"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "of this folder\n"


@pytest.mark.skipif(not can_mount, reason="this machine lets nobody mount a small disk of their own")
def test_it_sees_what_is_mounted_for_who_asks(preloaded, tmp_path):
    script = (
        'mount -t tmpfs tmpfs "$1" && touch "$1/mounted" && exec "$2" -c "import os, sys; print(os.listdir(sys.argv[1]))" "$1"'
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", tmp_path, preloaded / "python"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "['mounted']\n"
    assert list(tmp_path.iterdir()) == []
