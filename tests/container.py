"""Do by hand what the Dockerfile's cpu target does, where no container engine is at hand, and then run the main job in it.

    python -m tests.container

A clean folder gets the files that the build context would have, a shell with nothing in its environment runs the target's RUN
lines and then its CMD with a tiny recipe. The base image, its packages (git, make) and its user are not tried.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.make import write_tiny_base, write_tiny_recipe

ROOT = Path(__file__).resolve().parents[1]


def instructions(dockerfile: str, stage: str) -> list[tuple[str, str]]:
    """(keyword, rest) of a stage's instructions; continued lines are one, comments are left out."""
    joined = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE))
    lines = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    found: list[tuple[str, str]] = []
    name = ""
    for keyword, _, rest in lines:
        if keyword == "FROM":
            name = rest.rpartition(" AS ")[2]
        elif name == stage:
            found.append((keyword, rest.strip()))
    return found


def build_context(folder: Path) -> None:
    """The tracked files: what COPY . . brings in after .dockerignore, but for files that nobody has committed."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
        shutil.copymode(ROOT / name, target)


@click.command()
def main() -> None:
    """Install and run in a clean folder, as the image would."""
    with TemporaryDirectory(prefix="vision-zero-container-") as name:
        home = Path(name)
        work = home / "vision-zero"
        build_context(work)
        pip = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
        # The base image has this Python in the first of these folders.
        path = f"{Path(sys.base_prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        environment = {"PATH": path, "HOME": name, "TORCH_INDEX": "", **pip}
        for keyword, rest in instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"), "cpu"):
            if keyword == "RUN":
                click.echo(f"RUN {rest}")
                subprocess.run(["sh", "-c", rest], cwd=work, env=environment, check=True)
        recipe = write_tiny_recipe(home / "tiny.yaml", write_tiny_base(home / "base"), "vision_zero_container", {})
        for _ in range(2):
            subprocess.run(["make", "run", f"CONFIG={recipe}"], cwd=work, env=environment, check=True)
        click.echo("the cpu target's steps and its command work in a clean folder")


if __name__ == "__main__":
    main()
