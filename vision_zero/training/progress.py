"""Progress of a stage during training: the current stage state, and the record of each iteration."""

from __future__ import annotations

from collections.abc import Mapping

from vision_zero.game.transcript import VoteRates
from vision_zero.rewards.role_advantage import RoleBaselines
from vision_zero.training.controller import advance, running_rates
from vision_zero.training.state import IterationRecord, StageState

_FROM_LOGS = {
    "kl": "kl",
    "entropy": "entropy",
    "loss": "loss",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "completions/mean_length": "tokens",
    "completions/clipped_ratio": "cut_off",
    "clue/spy/kl": "clue/spy/kl",
    "clue/spy/entropy": "clue/spy/entropy",
    "clue/civilian/kl": "clue/civilian/kl",
    "clue/civilian/entropy": "clue/civilian/entropy",
    **{f"seconds/{part}": f"seconds/{part}" for part in ("play", "vote", "reference", "update")},
    **{f"update/{what}": f"update/{what}" for what in ("tokens", "padding", "shared")},
}
"""Names in the trainers' logs, TRL's and the clue trainer's → ours; what else is logged stays out of the history."""


class Progress:
    """Owned by one trainer. Per iteration first ``measured`` (advances the controller), then ``logged`` (after the update)."""

    def __init__(self, state: StageState, run: str) -> None:
        self.state = state
        self.stage = state.stage
        self.run = run
        self._pending: IterationRecord | None = None

    @property
    def is_stage_over(self) -> bool:
        """Has the controller switched?"""
        return self.state.stage != self.stage

    def measured(self, rates: VoteRates, measures: Mapping[str, float], baselines: RoleBaselines | None = None) -> None:
        """Record the iteration's vote rates and metrics, and advance the controller."""
        number = self.state.iteration
        moved = advance(self.state, rates.accuracy, rates.abstention)
        running_accuracy, running_abstention = running_rates(moved)
        self.state = moved if baselines is None else moved.model_copy(update={"baselines": baselines})
        self._pending = IterationRecord(
            iteration=number,
            stage=self.stage,
            run=self.run,
            accuracy=rates.accuracy,
            abstention=rates.abstention,
            running_accuracy=running_accuracy,
            running_abstention=running_abstention,
            metrics={**measures, "vote/unreadable": rates.unreadable},
        )

    def logged(self, logs: Mapping[str, float]) -> None:
        """Complete the iteration's record with what the trainer logged after its update."""
        if self._pending is None:
            return
        known = {ours: logs[theirs] for theirs, ours in _FROM_LOGS.items() if logs.get(theirs) is not None}
        record = self._pending.model_copy(update={"metrics": {**self._pending.metrics, **known}})
        self.state = self.state.model_copy(update={"history": (*self.state.history, record)})
        self._pending = None
