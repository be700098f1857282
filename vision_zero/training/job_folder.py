"""A job and its result as plain files, for processes that train together: JSON, parquet, and a policy's own files.

    job.json, pairs.parquet            what is to be done
    trained/checkpoint-<iteration>/    the policy, as the trainer saves it
    result.json, played.parquet        what came of it

There is no pickle. The policy to continue from stays where it is: the processes run on one machine.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vision_zero.config.learning import Stage
from vision_zero.config_base import Config, problems, read_json
from vision_zero.data.table import PairSampler, PairTable
from vision_zero.errors import TrainingError
from vision_zero.game.transcript_files import read_transcripts, write_transcripts
from vision_zero.policy.folder import PolicyFolder
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.state import StageState

JOB, PAIRS = "job.json", "pairs.parquet"
TRAINED, RESULT, PLAYED = "trained", "result.json", "played.parquet"
_JOB = TypeAdapter(StageJob)


class _Job(Config):
    """A job in its file: ``job`` holds all of it but the pairs, and the folder, which is this one."""

    stage: Stage
    games: int
    stride: int
    job: dict[str, Any]


class _Result(Config):
    """All of a result but its games; the policy's folder is named relative to the folder that this file is in."""

    state: StageState
    policy: str


def write_job(folder: Path, stage: Stage, job: StageJob) -> None:
    """Write a stage's job."""
    parent = PolicyFolder(None if job.parent.path is None else job.parent.path.absolute())
    plain = _JOB.dump_python(replace(job, parent=parent), mode="json", exclude={"pairs", "folder"})
    written = _Job(stage=stage, games=job.pairs.games, stride=job.pairs.stride, job=plain)
    job.pairs.table.write(folder / PAIRS)
    (folder / JOB).write_text(written.model_dump_json(), encoding="utf-8")


def read_job(folder: Path) -> tuple[Stage, StageJob]:
    """The job as it was written; the trained policy goes into this folder.

    Raises:
        TrainingError: there is no job here.
        PairsError: its pairs cannot be read.
    """
    written = read_json(_Job, folder / JOB, TrainingError)
    pairs = PairSampler(PairTable.read(folder / PAIRS), written.games, written.stride)
    try:
        job = _JOB.validate_python({**written.job, "pairs": pairs, "folder": folder / TRAINED})
    except ValidationError as error:
        raise TrainingError(f"{folder / JOB} holds no job of this version: {problems(error)}") from error
    return written.stage, replace(job, parent=job.parent.checked())


def write_result(folder: Path, result: StageResult) -> None:
    """Write what came of the job; its policy is in this folder already."""
    assert result.policy.path is not None
    policy = result.policy.path.relative_to(folder).as_posix()
    write_transcripts(result.transcripts, folder / PLAYED)
    (folder / RESULT).write_text(_Result(state=result.state, policy=policy).model_dump_json(), encoding="utf-8")


def read_result(folder: Path) -> StageResult:
    """The result as it was written.

    Raises:
        TrainingError: there is none.
        PolicyError: its policy is incomplete.
        GameError: its games cannot be read.
    """
    written = read_json(_Result, folder / RESULT, TrainingError)
    policy = PolicyFolder(folder / written.policy).checked()
    return StageResult(written.state, read_transcripts(folder / PLAYED), policy)
