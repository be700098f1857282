"""What identifies a finished run in its folder, and its record: its held-out scores, unit by unit, in one JSON file.

A folder of records holds all that the results of a study are made of (:mod:`vision_zero.experiments.results`), so arms can be run
on several machines or days, and anybody can recompute the intervals of a published table without training anything.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from vision_zero.atomic_dir import is_unfinished
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config_base import Config, read_json
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.json_files import write_atomically
from vision_zero.evaluation.estimates import Scores
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.training.state import StageState

IDENTITY = "run.json"
"""Name of the file with a run's identity."""
Units = tuple[float, ...]
"""One value for each unit: a held-out game, question or item of a suite."""
DECIMALS = 4
MADE_TO_REASON = "base_made_to_reason.json"


class RunIdentity(Config):
    """Facts about a run that reports and comparisons need beside its scores."""

    run: str
    """Name of the run."""
    rewards: RewardsConfig
    """Rewards that it was trained with."""
    model: str = ""
    """Name of its model in ZenML; empty in folders that earlier versions of this project wrote."""


def last_run(folder: Path) -> Path:
    """The folder itself if it is a run's; else the run in it with most iterations, and among several the newest.

    Raises:
        EvaluationError: it is neither.
    """
    if (folder / "state.json").is_file():
        return folder
    found = max(((iteration_of(path), path.name, path) for path in run_folders(folder)), default=None)
    if found is None:
        raise EvaluationError(f"{folder} is not the folder of a run, and holds none")
    return found[-1]


def run_folders(folder: Path) -> Iterator[Path]:
    """The folders of runs directly in a folder, without those that killed runs have left half-written."""
    return (path.parent for path in folder.glob(f"*/{IDENTITY}") if not is_unfinished(path.parent))


def iteration_of(folder: Path) -> int:
    """The iteration that a run, of any version of this project, reached.

    Raises:
        EvaluationError: its state cannot be read.
    """
    path = folder / "state.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8")).get("iteration", 0))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error


class RunRecord(Config):
    """Scores of a run by name; a name without a slash is a suite.

    Attributes:
        model: the run's model, whose name has a fingerprint of the settings, the base and the sources of pairs.
        measurement: the settings of the evaluation, as JSON.
        policy: values of the trained policy, by name of the score …
        base: … and of the frozen base, on the same units.
        curves: values during training, by name and iteration: metrics of an iteration, one value each, or scores on the smaller
            held-out set of the training run, with the base's at iteration 0.
    """

    model: str = ""
    measurement: str = ""
    iteration: int
    policy: dict[str, Units]
    base: dict[str, Units]
    curves: dict[str, dict[int, Units]]

    @classmethod
    def of(cls, folder: Path, *, curves: Collection[str], model: str = "", measurement: str = "") -> RunRecord:
        """The record of a run, from its folder.

        Args:
            curves: names of the metrics and scores whose values during training are kept.

        Raises:
            EvaluationError: it is not the folder of a run.
        """
        scores = read_json(Scores, folder / "scores.json", EvaluationError).scores
        suites = read_json(Scorecard, folder / "suites.json", EvaluationError).suites
        state = read_json(StageState, folder / "state.json", EvaluationError)
        measured: dict[str, tuple[Units, Units]] = {score.name: (score.policy_units, score.base_units) for score in scores}
        measured |= {suite.name: (suite.policy_units, suite.base_units) for suite in suites}
        return cls(
            model=model,
            measurement=measurement,
            iteration=state.iteration,
            policy={name: _rounded(policy) for name, (policy, _) in measured.items() if policy},
            base={name: _rounded(base) for name, (_, base) in measured.items() if base},
            curves={name: curve for name in curves if (curve := _curve(state, name))},
        )

    @classmethod
    def of_suites(cls, path: Path) -> RunRecord:
        """The record of the ``scores.json`` of ``vision-zero evaluate``: of a policy that was not trained here, on suites alone.

        Raises:
            EvaluationError: the file cannot be read, or is another file.
        """
        suites = read_json(Scorecard, path, EvaluationError).suites
        return cls(iteration=0, policy={suite.name: _rounded(suite.policy_units) for suite in suites}, base={}, curves={})

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """
        Raises:
            EvaluationError: the file cannot be read, or is no record.
        """
        return read_json(cls, path, EvaluationError)

    def write(self, path: Path, names: Collection[str]) -> None:
        """Write the scores of these names, one a line.

        Raises:
            EvaluationError: the file cannot be written.
        """
        kept = self.model_copy(
            update={
                whose: {name: units for name, units in sorted(getattr(self, whose).items()) if name in names}
                for whose in ("policy", "base")
            }
        )
        write_atomically(path, _lines(kept.model_dump(mode="json")) + "\n")

    def units(self, name: str, whose: Literal["policy", "base"]) -> Units:
        """Values of a score or suite by unit; empty if it was not measured."""
        found: dict[str, Units] = getattr(self, whose)
        return found.get(name, ())


def of_base_made_to_reason(scores: Path | None, records: Path | None) -> RunRecord | None:
    """The base made to reason on the suites: from the ``scores.json`` of its evaluation, which is kept among the records if there
    is such a folder; without the file, from the records; None if there is neither.

    Raises:
        EvaluationError: a file cannot be read, or is another file.
    """
    kept = None if records is None else records / MADE_TO_REASON
    if scores is not None:
        record = RunRecord.of_suites(scores)
        if kept is not None:
            record.write(kept, record.policy.keys())
        return record
    return RunRecord.read(kept) if kept is not None and kept.is_file() else None


def _curve(state: StageState, name: str) -> dict[int, Units]:
    metrics = {record.iteration: _rounded((record.metrics[name],)) for record in state.history if name in record.metrics}
    if metrics:
        return metrics
    scores = [(measured.iteration, score) for measured in state.evaluations for score in measured.scores if score.name == name]
    curve = {0: scores[0][1].base_units} if scores else {}
    curve |= {iteration: score.policy_units for iteration, score in scores}
    return {iteration: _rounded(units) for iteration, units in curve.items() if units}


def _rounded(units: Units) -> Units:
    return tuple(round(value, DECIMALS) for value in units)


def _lines(content: object, depth: int = 0) -> str:
    """JSON with a line for each value that is no mapping; 1.0 is written as 1."""
    if isinstance(content, list):
        return json.dumps([int(value) if value == int(value) else value for value in content], separators=(",", ":"))
    if not isinstance(content, dict):
        return json.dumps(content)
    inner = ",\n".join(f"{' ' * (depth + 1)}{json.dumps(str(key))}: {_lines(value, depth + 1)}" for key, value in content.items())
    return f"{{\n{inner}\n{' ' * depth}}}" if content else "{}"
