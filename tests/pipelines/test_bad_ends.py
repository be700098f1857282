"""Runs that end badly: Ctrl-C, a full disk, a folder that cannot be written. What was promoted stands, and one line says so."""

import re
import signal
import subprocess

import pytest

from tests.crashes import LONGEST, ROOT, Workplace

pytestmark = [pytest.mark.cli, pytest.mark.zenml]

MESSAGE = "the version promoted before is unchanged, and the same command continues from it"
can_mount = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory, preloaded):
    """A ZenML of its own."""
    return Workplace.at(tmp_path_factory.mktemp("bad-ends") / "place", preloaded)


@pytest.fixture(scope="module")
def promoted(place):
    place.run()
    return place.promoted()


@pytest.mark.parametrize(
    ("step", "moment", "never"),
    [("decision_stage_1", "started", "evaluate_1"), ("resume", "finished", "clue_stage_1")],
    ids=["in a step", "between two"],
)
def test_ctrl_c_ends_a_run_before_its_next_long_step(place, promoted, step, moment, never):
    """Wherever in the step, or just before or behind it, it is heard: which of them is the machine's affair."""
    process = subprocess.Popen(
        place.command,
        cwd=ROOT,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if step in line and f"has {moment}" in line:
            break
    else:
        pytest.fail(f"{step} has never {moment}")
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=LONGEST)
    assert process.returncode != 0
    assert f"{never} has started" not in printed.replace("`", "")
    assert printed.count(f"stopped; {MESSAGE}") == 1
    assert place.promoted() == promoted


@pytest.mark.skipif(not can_mount, reason="this machine lets nobody mount a small disk of their own")
@pytest.mark.parametrize(
    ("options", "words"), [("size=64k", "No space left on device"), ("ro", "Read-only file system")], ids=["full", "read-only"]
)
def test_a_disk_that_takes_nothing_is_named_and_nothing_is_lost(place, promoted, options, words):
    runs = place.recipe.parent / "runs"
    script = f'mount -t tmpfs -o {options} tmpfs "$1" && shift && exec "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(runs), *place.command],
        cwd=ROOT, env=place.environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode != 0
    assert re.search(rf"{runs}/\S+ cannot be written: {words}; make room there, or set runs_folder", printed)
    assert f"failed; {MESSAGE}" in printed
    assert place.promoted() == promoted
