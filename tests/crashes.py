"""Kill self-play runs at random moments, start them again, and check that nothing is lost, doubled or half-written.

    python -m tests.crashes --kills 20

Trains the tiny policy to the end of its schedule twice, each time with a ZenML of its own: once undisturbed, once with runs that
are killed (SIGKILL, the whole process group). After every kill the promoted version must load and be the one that it was or, if
the run had come to its end, the next; in the end both histories and both adapters must be equal. Prints one row a kill.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from tests.make import write_tiny_base, write_tiny_recipe

ROOT = Path(__file__).resolve().parents[1]
MODEL = "vision_zero_crashes"
ITERATIONS = 14
LONGEST = 300.0
"""Seconds after which a run counts as hanging."""

PROMOTED = f"""
import json
from zenml.client import Client
from zenml.enums import ModelStages
from vision_zero.policy.folder import ADAPTER_FILES
try:
    version = Client().get_model_version({MODEL!r}, ModelStages.PRODUCTION)
except KeyError:
    print(json.dumps(None))
else:
    state = version.get_artifact("stage_state").load()
    policy = version.get_artifact("trained_policy").load()
    print(json.dumps({{
        "version": version.number,
        "iterations": [record.iteration for record in state.history],
        "state": state.model_copy(update={{"history": ()}}).model_dump(mode="json", exclude={{"measured"}}),
        "rates": [[record.stage, record.accuracy, record.abstention] for record in state.history],
        "adapter": (policy.path / ADAPTER_FILES[0]).read_bytes().hex(),
    }}))
"""
"""Loads what is promoted, which checks its hashes, and prints it."""


@dataclass(frozen=True)
class Workplace:
    """A ZenML of its own and a tiny recipe."""

    environment: Mapping[str, str]
    recipe: Path
    commands: Path = Path(sys.executable).parent
    """Where the commands python and zenml are."""

    @classmethod
    def at(cls, folder: Path, commands: Path = commands) -> Workplace:
        folder.mkdir(parents=True)
        base = write_tiny_base(folder.parent / "base")
        recipe = write_tiny_recipe(folder / "tiny.yaml", base, MODEL, {"learning__iterations": ITERATIONS})
        own = {"ZENML_CONFIG_PATH": folder / "zenml", "ZENML_REPOSITORY_PATH": folder, "ZENML_CUSTOM_SOURCE_ROOT": ROOT}
        paths = {name: str(path) for name, path in own.items()}
        quiet = {"ZENML_ANALYTICS_OPT_IN": "false", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        return cls({**os.environ, **paths, **quiet, "PYTHONPATH": str(ROOT)}, recipe, commands)

    @property
    def command(self) -> list[str]:
        """What starts a run."""
        return [str(self.commands / "zenml"), "pipeline", "run", "pipelines.self_play.self_play", "-c", str(self.recipe)]

    def promoted(self) -> dict[str, object] | None:
        """What is promoted, loaded; None before the first run ended."""
        found: dict[str, object] | None = json.loads(self.ask(PROMOTED))
        return found

    def ask(self, program: str) -> str:
        """The last line that a Python program prints here; in a process of its own, as every reader is."""
        done = subprocess.run(
            [self.commands / "python", "-c", program], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise click.ClickException(f"what is stored cannot be loaded: {done.stderr[-2000:]}")
        return done.stdout.strip().splitlines()[-1]

    def run(self, kill_after: float | None = None) -> tuple[int, str, float]:
        """One run, killed after that many seconds.

        Returns:
            Its exit status, the step that it was in at the end, and the seconds that it took.
        """
        started = time.monotonic()
        process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=LONGEST if kill_after is None else kill_after)
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
            if kill_after is None:
                raise click.ClickException(f"a run hangs: {printed[-2000:]}") from late
        plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
        if process.returncode not in (0, -signal.SIGKILL):
            raise click.ClickException(f"a run failed: {plain[-2000:]}")
        steps = re.findall(r"Step (\w+) has (started|finished)", plain)
        return process.returncode, "before the first" if not steps else " ".join(steps[-1]), time.monotonic() - started


def undisturbed(place: Workplace) -> tuple[dict[str, object], float]:
    """What is promoted at the end of the schedule, and the seconds of a run."""
    seconds = []
    while (now := place.promoted()) is None or len(now["iterations"]) < ITERATIONS:  # type: ignore[arg-type]
        seconds.append(place.run()[2])
    return now, float(np.median(seconds))


def disturbed(place: Workplace, kills: int, seconds: float, rng: np.random.Generator) -> tuple[dict[str, object], int]:
    """The same with that many kills, at moments spread over a whole run; fewer if the schedule ends before."""
    before, killed = place.promoted(), 0
    moments = rng.permutation(np.linspace(0.05, 0.98, kills)) * seconds
    while before is None or len(before["iterations"]) < ITERATIONS:  # type: ignore[arg-type]
        moment = float(moments[killed]) if killed < kills else None
        status, step, took = place.run(moment)
        after = place.promoted()
        check_order(before, after, ended=status == 0)
        if status != 0:
            killed += 1
            click.echo(f"| {killed} | {took:.1f} s | {step} | {version_of(before)} | {version_of(after)} |")
        before = after
    return before, killed


def version_of(promoted: Mapping[str, object] | None) -> object:
    """The number of what is promoted; 0 before anything is."""
    return 0 if promoted is None else promoted["version"]


def check_order(before: Mapping[str, object] | None, after: Mapping[str, object] | None, ended: bool) -> None:
    """Nothing that was promoted is lost, and what is new goes on where it stopped."""
    old = [] if before is None else before["iterations"]
    new = [] if after is None else after["iterations"]
    assert isinstance(old, list) and isinstance(new, list)
    if new != list(range(len(new))) or len(new) < len(old) or (ended and len(new) == len(old)):
        raise click.ClickException(f"iterations {old} were promoted, and then {new}")


@click.command()
@click.option("--kills", default=20, show_default=True, help="How many runs are killed.")
@click.option("--seed", default=0, show_default=True, help="Seed of the moments.")
def main(kills: int, seed: int) -> None:
    """Kill runs and check what is left."""
    with TemporaryDirectory(prefix="vision-zero-crashes-") as name:
        expected, seconds = undisturbed(Workplace.at(Path(name) / "undisturbed"))
        click.echo(f"undisturbed: {len(expected['iterations'])} iterations, {seconds:.1f} s a run")  # type: ignore[arg-type]
        click.echo("| kill | after | in step | promoted before | promoted after |\n|---|---|---|---|---|")
        found, killed = disturbed(Workplace.at(Path(name) / "disturbed"), kills, seconds, np.random.default_rng(seed))
    for part in ("iterations", "rates", "state", "adapter"):
        if found[part] != expected[part]:
            raise click.ClickException(f"{part} differs from the undisturbed run's")
    click.echo(f"{killed} kills: history, state and adapter are those of the undisturbed run")


if __name__ == "__main__":
    main()
