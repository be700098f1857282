"""The Dockerfile: a linter finds nothing, it runs as nobody special, and its lines are read as they are meant."""

import subprocess
import sys
from pathlib import Path

from tests.container import ROOT, instructions

DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_a_linter_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_would_find_something(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /tmp && sudo apt-get install git\n")
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 1


def test_the_image_is_not_run_by_root_and_runs_the_main_job():
    assert ("USER", "1000") in instructions(DOCKERFILE, "base")
    assert ("CMD", '["make", "run"]') in instructions(DOCKERFILE, "cpu")
    assert [keyword for keyword, _ in instructions(DOCKERFILE, "cuda")] == ["ENV"]


def test_steps_in_pods_send_no_statistics_as_little_as_make_does():
    [exported] = [told for keyword, told in instructions(DOCKERFILE, "cpu") if keyword == "ENV"]
    for name in ("ZENML_ANALYTICS_OPT_IN=false", "GX_ANALYTICS_ENABLED=false", "HF_HUB_DISABLE_TELEMETRY=1"):
        assert name in exported.split()
        assert f"export {name.replace('=', ' := ')}" in (ROOT / "Makefile").read_text()


def test_what_git_ignores_is_not_in_the_image():
    ignored, left_out = ((ROOT / name).read_text().split() for name in (".gitignore", ".dockerignore"))
    names = {line.rstrip("/") for line in ignored if not line.startswith("!")} - {".venv", ".venv-*", "__pycache__"}
    assert names <= set(left_out)
    assert {".git", ".venv*", "**/__pycache__"} <= set(left_out)


def test_continued_lines_are_one_and_comments_none():
    text = "FROM a AS one\n# words\nRUN x \\\n    && y\nFROM one AS two\nCMD z\n"
    assert instructions(text, "one") == [("RUN", "x && y")]
    assert instructions(text, "two") == [("CMD", "z")]
