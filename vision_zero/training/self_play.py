"""The paper's method: a stage plays games, and learns from its clues or from its votes."""

from __future__ import annotations

from vision_zero.config.learning import Stage
from vision_zero.policy.loading import load_base
from vision_zero.training.clue_stage import ClueLoop
from vision_zero.training.decision_stage import DecisionLoop
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.launcher import train_in_processes
from vision_zero.training.loop import StageLoop
from vision_zero.training.out_of_memory import free_memory, out_of_memory_named

LOOPS: dict[Stage, type[StageLoop]] = {"clue": ClueLoop, "decision": DecisionLoop}


def run_stage(stage: Stage, job: StageJob) -> StageResult:
    """Train the stage that the state is in, in as many processes as the job asks for."""
    if job.learning.num_processes > 1:
        return train_in_processes(stage, job)
    try:
        return train_here(stage, job)
    finally:
        free_memory()


def train_here(stage: Stage, job: StageJob) -> StageResult:
    """Play and train in this process, alone or as one of several."""
    with out_of_memory_named("load", job.policy, job.learning):
        loop = LOOPS[stage](*load_base(job.policy), job)
    return loop.run()
