"""A stage by the recipe's ``learning.method``."""

from __future__ import annotations

from importlib import import_module

from vision_zero.config.learning import METHODS, Stage
from vision_zero.training.job import StageJob, StageResult


def run_stage(stage: Stage, job: StageJob) -> StageResult:
    """Train as the method has it if the state is in that stage and iterations are left; else the policy is handed on."""
    if job.state.stage != stage or not job.planned:
        return StageResult(job.state, (), job.parent)
    module = import_module(f"{__package__}.{METHODS[job.learning.method]}")
    result: StageResult = module.run_stage(stage, job)
    return result
