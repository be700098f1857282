"""``runs/<run name>/``: the plain files of a run: report, replay, data and policy.

The folder is written atomically: under a temporary name, then renamed. It also says how long each step took, and the time
between steps: the overhead of a pipeline.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

import click

from vision_zero.atomic_dir import atomic_dir, write_atomically
from vision_zero.config.learning import Stage
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config_base import Config, read_json
from vision_zero.data.table import PairTable
from vision_zero.domains.registry import DOMAINS
from vision_zero.errors import ConfigError, ReportError
from vision_zero.evaluation.estimates import NOTHING, Score, Scores
from vision_zero.evaluation.metric_names import SHOWN
from vision_zero.evaluation.promotion import Promotion
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.experiments.run_record import IDENTITY, RunIdentity
from vision_zero.game.played_games import PlayedGames
from vision_zero.game.transcript_files import read_transcripts, write_transcripts
from vision_zero.policy.folder import PolicyFolder
from vision_zero.report.curves import curve_charts
from vision_zero.report.pages import render_page
from vision_zero.report.replay import replay_page
from vision_zero.report.reply_stats import replies_by_role
from vision_zero.report.tracked_outcome import TrackedOutcome
from vision_zero.training.diagnostics import Alarms
from vision_zero.training.metrics import failures, phases
from vision_zero.training.state import IterationRecord, StageState
from vision_zero.training.unplayed_games import UnplayedGames
from vision_zero.validation.verdict import Verdict

WORK = (*(domain.step for domain in DOMAINS.values()), "clue_stage", "decision_stage", "measure_base", "evaluate")
"""Prefixes of the names of steps that do a run's work: making pairs, playing, training, evaluating."""
_LOGGER = logging.getLogger(__name__)


class StepTime(Config):
    """One step, in seconds since the start of the run."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def is_work(self) -> bool:
        return self.name.startswith(WORK)


class RunTimes(Config):
    """The finished steps of a run in order of their start, without cached ones."""

    steps: tuple[StepTime, ...]

    @classmethod
    def of(cls, began: datetime, steps: Mapping[str, tuple[datetime, datetime]]) -> RunTimes:
        """Steps from the orchestrator's start and end times."""
        times = [
            StepTime(name=name, start=(start - began).total_seconds(), end=(end - began).total_seconds())
            for name, (start, end) in steps.items()
        ]
        return cls(steps=tuple(sorted(times, key=lambda step: step.start)))

    @property
    def total(self) -> float:
        """Seconds from the start of the run to the end of its last step."""
        return max((step.end for step in self.steps), default=0.0)

    @property
    def between(self) -> float:
        """Seconds in which no step ran."""
        waited, until = 0.0, 0.0
        for step in self.steps:
            waited += max(0.0, step.start - until)
            until = max(until, step.end)
        return waited

    @property
    def overhead(self) -> float:
        """Share of the total time in which no working step ran; parallel steps count separately."""
        work = sum(step.seconds for step in self.steps if step.is_work)
        spent = self.between + sum(step.seconds for step in self.steps)
        return 1 - work / spent if spent else 0.0


@dataclass(frozen=True)
class Outcome:
    """The results of a run.

    Attributes:
        before: the training state at the start of the run.
        promotion: how it fares beside the version in production.
        suites: the suites that the policy was asked, and what the gate says.
        times: how long the steps before the report took.
        unplayed: the games that it made pairs for and did not play.
        tracking: what its trackers got.
    """

    before: StageState
    state: StageState
    verdict: Verdict
    scores: Scores
    alarms: Alarms
    suites: Scorecard
    promotion: Promotion
    times: RunTimes
    unplayed: UnplayedGames
    tracking: TrackedOutcome = field(default_factory=TrackedOutcome)

    @property
    def records(self) -> tuple[IterationRecord, ...]:
        """The iterations of this run."""
        return self.state.history[len(self.before.history) :]


NUMBERS: Mapping[str, type[Config]] = {name: kind for name, kind in get_type_hints(Outcome).items() if name != "before"}
"""Fields of an outcome that are stored as ``<name>.json``, with their types."""
LATER = ("tracking",)
"""Those that folders of earlier versions do not have."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run."""

    path: Path
    run: str
    model: str = ""
    """Name of the run's model in ZenML."""

    @classmethod
    def of(cls, config: SelfPlayConfig, run: str, model: str) -> RunFolder:
        return cls(Path(config.runs_folder) / run, run, model)

    def write(self, outcome: Outcome, policy: PolicyFolder, games: PlayedGames) -> str:
        """Write all files.

        Returns:
            The report's HTML.

        Raises:
            ReportError: the folder cannot be written, and was removed.
        """
        page = report_page(self.run, outcome)
        lines = "".join(json.dumps(record.model_dump(), sort_keys=True) + "\n" for record in outcome.state.history)
        shown, pairs = games.shown()
        replay = replay_page(f"Replay of {self.run}", shown, pairs, games.rewards)
        try:
            with atomic_dir(self.path) as fresh:
                (fresh / "report.html").write_text(page, encoding="utf-8")
                (fresh / "replay.html").write_text(replay, encoding="utf-8")
                (fresh / "metrics.jsonl").write_text(lines, encoding="utf-8")
                identity = RunIdentity(run=self.run, rewards=games.rewards, model=self.model)
                (fresh / IDENTITY).write_text(identity.model_dump_json(indent=1), encoding="utf-8")
                for name in NUMBERS:
                    (fresh / f"{name}.json").write_text(getattr(outcome, name).model_dump_json(indent=1), encoding="utf-8")
                write_transcripts(games.transcripts, fresh / "transcripts.parquet")
                games.pairs.write(fresh / "shown_pairs.parquet")
                policy.copy_to(fresh / "policy")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ReportError(f"{self.path} cannot be written: {reason}; make room there, or set runs_folder") from error
        return page


def report_page(run: str, outcome: Outcome) -> str:
    """The report as one HTML document."""
    return render_page(
        "report.html.j2",
        **vars(outcome),
        run=run,
        card=outcome.suites,
        shown_scores=SHOWN,
        charts=curve_charts(outcome.state),
        stages=Counter(record.stage for record in outcome.records),
        replies=replies_by_role(outcome.records),
        phases=phases(outcome.records),
        failures=failures(outcome.records),
    )


def rewrite(path: Path) -> Path:
    """Write the report and the replay of a run's folder again from its files, for example after a change of the pages.

    A folder of an earlier version does not contain the rewards: its replay is kept, with a warning in the log.

    Raises:
        PairsError, GameError, ConfigError: a file of the folder is missing or broken.
        ReportError: the pages cannot be written.
    """
    there = [name for name in NUMBERS if name not in LATER or (path / f"{name}.json").exists()]
    numbers: dict[str, Any] = {name: read_json(NUMBERS[name], path / f"{name}.json", ConfigError) for name in there}
    identity = read_json(RunIdentity, path / IDENTITY, ConfigError) if (path / IDENTITY).exists() else None
    run = path.resolve().name if identity is None else identity.run
    outcome = Outcome(before=numbers["state"].before(run), **numbers)
    pages = {"report.html": report_page(run, outcome)}
    if identity is None:
        _LOGGER.warning("%s has no %s, as in folders of earlier versions: its replay is kept as it is", path, IDENTITY)
    else:
        table = PairTable.read(path / "shown_pairs.parquet")
        shown, pairs = PlayedGames(read_transcripts(path / "transcripts.parquet"), table, identity.rewards).shown()
        pages["replay.html"] = replay_page(f"Replay of {run}", shown, pairs, identity.rewards)
    try:
        for name, page in pages.items():
            write_atomically(path / name, page)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error.strerror or error}") from error
    return path / "report.html"


def summary_table(outcome: Outcome, folder: RunFolder) -> None:
    """Print a summary of the run."""
    trained = Counter(record.stage for record in outcome.records)
    scores = outcome.scores
    click.echo("")
    click.echo(f"  {folder.run}")
    done = f"iterations {outcome.before.iteration} → {outcome.state.iteration} ({_counts(trained)})"
    click.echo(f"  {done}, next stage: {outcome.state.stage}")
    if outcome.unplayed.sentence:
        click.echo(f"  {outcome.unplayed.sentence}")
    for note in scores.notes:
        click.echo(f"  note: {note}")
    held_out = f"held out: {', '.join(scores.domains)}" if scores.domains else "held out"
    click.echo(f"  {held_out:<30}{'policy':>18}{'frozen base':>18}{'difference':>18}")
    for score, words in shown_scores(scores):
        difference = NOTHING if score.difference is None else score.difference.points()
        numbers = f"{score.policy.text():>18}{score.base.text():>18}{difference:>18}"
        click.echo(f"  {words:<30}{numbers}  {score.judgement or ''}")
    click.echo(f"  intervals of differences are Bonferroni-corrected for {scores.comparisons} comparisons")
    for line in outcome.suites.summary()[1:]:
        click.echo(line)
    for line in outcome.promotion.lines():
        click.echo(f"  {line}")
    for alarm in outcome.alarms.alarms:
        click.echo(f"  {alarm.name:<20}{alarm.state}: {alarm.sentence}")
    for tracked in outcome.tracking.trackers:
        click.echo(f"  {tracked.name:<20}{tracked.sentence}")
    click.echo(f"  report  {folder.path / 'report.html'}")
    click.echo(f"  replay  {folder.path / 'replay.html'}")
    click.echo("")


def shown_scores(scores: Scores) -> list[tuple[Score, str]]:
    """The scores of the summary with their names, in its order; those of one domain have its name behind them."""
    return [
        (score, score.name.replace(name, words, 1))
        for name, words in SHOWN.items()
        for score in scores.scores
        if score.name.partition(" (")[0] == name
    ]


def _counts(trained: Counter[Stage]) -> str:
    return ", ".join(f"{number} in the {stage} stage" for stage, number in sorted(trained.items())) or "nothing left to train"
