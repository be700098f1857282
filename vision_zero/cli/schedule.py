"""Scheduled retraining: a crontab line or a systemd timer for this machine, a ZenML schedule for orchestrators that have one.

The local forms take a lock with flock(1): while a run is in progress, the next one says so and exits at once with status 75
(EX_TEMPFAIL in sysexits.h, "try again later"), which systemd does not count as a failure. Promotion is compare-and-set in any
case.
"""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from vision_zero.errors import ConfigError

BUSY = 75
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Schedule:
    """When a recipe runs, and how it is started.

    Attributes:
        file: the recipe, below ``configs/<pipeline>/`` of a checkout.
        hour, minute: local time; in the ZenML form, the orchestrator's time.
        days: names of days; empty: every day.
    """

    file: Path
    hour: int
    minute: int
    days: tuple[str, ...] = ()

    @classmethod
    def at(cls, file: Path, time: str, days: tuple[str, ...] = ()) -> Schedule:
        """A schedule at a time such as 03:30.

        Raises:
            ConfigError: the time is invalid, or the recipe is not in the folder of a pipeline's recipes.
        """
        hour, _, minute = time.partition(":")
        if not (hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and int(hour) < 24 and int(minute) < 60):
            raise ConfigError(f"{time!r} is not a time of day: write it like 03:30")
        path = file.resolve()
        if len(path.parents) < 3 or not (path.parents[2] / "pipelines" / f"{path.parent.name}.py").is_file():
            raise ConfigError(f"{file} is not below configs/<pipeline>/ of a checkout: a run could not find its pipeline")
        return cls(path, int(hour), int(minute), days)

    @property
    def project(self) -> Path:
        """The checkout that the recipe belongs to."""
        return self.file.parents[2]

    @property
    def recipe(self) -> str:
        """The recipe's name, by which schedule, lock and log are told from those of others: recipes of two pipelines may have the
        same."""
        pipeline = self.file.parent.name
        return self.file.stem if pipeline == "self_play" else f"{pipeline}-{self.file.stem}"

    @property
    def name(self) -> str:
        """The schedule's name, in characters that systemd and ZenML allow."""
        return f"vision-zero-{re.sub(r'[^A-Za-z0-9_.-]', '_', self.recipe)}"

    @property
    def cron(self) -> str:
        """The schedule in cron's syntax."""
        return f"{self.minute} {self.hour} * * {','.join(self.days) or '*'}"

    @property
    def command(self) -> list[str]:
        """The command of one run under the lock. Lock and log are beside the runs."""
        pipeline = self.file.parent.name
        zenml = Path(sys.executable).with_name("zenml")
        recipe = self.file.relative_to(self.project)
        run = [str(zenml), "pipeline", "run", f"pipelines.{pipeline}.{pipeline}", "-c", str(recipe)]
        lock = self.project / "runs" / f".{self.recipe}.lock"
        return ["flock", "--verbose", "--nonblock", "--conflict-exit-code", str(BUSY), str(lock), *run]


def crontab(schedule: Schedule) -> str:
    """A line for ``crontab -e``."""
    project = shlex.quote(str(schedule.project))
    log = shlex.quote(f"runs/{schedule.recipe}.log")
    line = f"mkdir -p {project}/runs && cd {project} && {shlex.join(schedule.command)} >> {log} 2>&1"
    # In cron, % ends the line unless it is escaped.
    return f"{schedule.cron} {line.replace('%', chr(92) + '%')}\n"


def systemd(schedule: Schedule) -> dict[str, str]:
    """A service and its timer, by file name, for ``~/.config/systemd/user``."""
    name = schedule.name
    days = f"{','.join(day.capitalize() for day in schedule.days)} " if schedule.days else ""
    service = f"""\
[Unit]
Description=Vision-Zero: {schedule.file.stem}

[Service]
Type=oneshot
WorkingDirectory={str(schedule.project).replace("%", "%%")}
ExecStartPre=mkdir -p {_unit(str(schedule.project / "runs"))}
ExecStart={" ".join(_unit(word) for word in schedule.command)}
SuccessExitStatus={BUSY}
"""
    timer = f"""\
[Unit]
Description=When {name} runs

[Timer]
OnCalendar={days}*-*-* {schedule.hour:02}:{schedule.minute:02}:00
Persistent=true

[Install]
WantedBy=timers.target
"""
    return {f"{name}.service": service, f"{name}.timer": timer}


def zenml_schedule(schedule: Schedule) -> str:
    """The block to append to a copy of the recipe, for orchestrators with their own scheduler, such as Kubeflow and
    Kubernetes."""
    return f'schedule:\n  name: {schedule.name}\n  cron_expression: "{schedule.cron}"\n'


def _unit(word: str) -> str:
    """A word of a unit file: % and $ are escaped, and words with spaces are quoted."""
    escaped = word.replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if " " in escaped else escaped
