"""The paper's method: a stage plays games, and learns from its clues or from its votes."""

from __future__ import annotations

from vision_zero.config.learning import Stage
from vision_zero.training.clue_stage import run_clue_stage
from vision_zero.training.decision_stage import run_decision_stage
from vision_zero.training.job import StageJob, StageResult


def run_stage(stage: Stage, job: StageJob) -> StageResult:
    """Play and learn in that stage."""
    return run_clue_stage(job) if stage == "clue" else run_decision_stage(job)
