"""Folders that appear whole or not at all, and those that go with their process."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vision_zero.atomic_dir import atomic_dir


def test_a_folder_takes_the_place_of_an_older_one(tmp_path):
    target = tmp_path / "run"
    for word in ("old", "new"):
        with atomic_dir(target) as fresh:
            (fresh / word).write_text(word)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("ending", [OSError("No space left"), KeyboardInterrupt()], ids=["error", "ctrl-c"])
def test_a_bad_end_leaves_the_older_one_and_nothing_else(tmp_path, ending):
    target = tmp_path / "run"
    with atomic_dir(target) as fresh:
        (fresh / "old").write_text("old")
    with pytest.raises(type(ending)), atomic_dir(target) as fresh:
        (fresh / "new").write_text("half")
        raise ending
    assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_end_while_the_older_one_is_removed_leaves_the_new_one_whole(tmp_path, monkeypatch):
    target = tmp_path / "run"
    with atomic_dir(target) as fresh:
        for name in "ab":
            (fresh / name).write_text("old")

    def ended(folder, **_):
        if folder.is_dir():
            (folder / "a").unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", ended)
    with pytest.raises(KeyboardInterrupt), atomic_dir(target) as fresh:
        for name in "ab":
            (fresh / name).write_text("new")
    assert {path.name: path.read_text() for path in target.iterdir()} == {"a": "new", "b": "new"}


def test_after_a_kill_between_the_renames_the_older_one_is_put_back(tmp_path):
    target = tmp_path / "run"
    with atomic_dir(target) as fresh:
        (fresh / "old").write_text("old")
    target.rename(tmp_path / "run.old")
    with pytest.raises(OSError, match="No space left"), atomic_dir(target):
        raise OSError("No space left")
    assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.cli
@pytest.mark.parametrize("ending", ["", "raise SystemExit(1)"], ids=["end", "error"])
def test_a_folder_of_a_process_goes_with_it(ending):
    code = f"from vision_zero.atomic_dir import dir_of_process as f; d = f('x'); (d / 'y').touch(); print(d)\n{ending}"
    made = Path(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip())
    assert made.name.startswith("vision-zero-x-")
    assert not made.exists()
