"""Progress of a stage during training: the current stage state, the record of each iteration, and what trackers get of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from vision_zero.config.tracking import TrackedRun
from vision_zero.game.transcript import VoteRates
from vision_zero.rewards.role_advantage import RoleBaselines
from vision_zero.tracking.tracking import Tracking
from vision_zero.training.controller import advance, running_rates
from vision_zero.training.state import IterationRecord, StageState

RATIO = "sampling/importance_sampling_ratio"
SAMPLING = (
    *(f"{RATIO}/{of}" for of in ("min", "mean", "max")),
    *("sampling/sampling_logp_difference/mean", "sampling/sampling_logp_difference/max", "sampling/limited"),
)
"""How a server's probabilities of its replies differ from the trained model's: TRL's names, and the share limited by a bound."""
_RENAMED = {"completions/mean_length": "tokens", "completions/clipped_ratio": "cut_off"}
_FROM_LOGS = (
    *("kl", "entropy", "loss", "grad_norm", "learning_rate", *_RENAMED),
    *(f"clue/{role}/{what}" for role in ("spy", "civilian") for what in ("kl", "entropy")),
    *(f"seconds/{phase}" for phase in ("play", "vote", "reference", "update")),
    *(f"update/{what}" for what in ("tokens", "padding", "shared")),
    *SAMPLING,
)
"""Names in the trainers' logs, TRL's and the clue trainer's; what else is logged stays out of the history."""

_OF_VOTES = ("accuracy", "abstention", "running_accuracy", "running_abstention")
_OF_NO_REWARDS = ("reward", "reward_std", "frac_reward_zero_std")
"""What TRL logs of rewards is of zeros in the clue stage: there the advantages are put in afterwards."""


class Progress:
    """Owned by one trainer, and left when it ends. Per iteration first ``measured`` (advances the controller), then ``logged``
    (after the update)."""

    def __init__(self, state: StageState, run: str, tracking: Tracking | None = None) -> None:
        self.state = state
        self.stage = state.stage
        self.run = run
        self.tracking = tracking or Tracking(TrackedRun())
        self._pending: IterationRecord | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the trackers; the last record says which of them may lack something."""
        late = self.tracking.close()
        if late and self.state.history:
            *earlier, last = self.state.history
            marked = last.model_copy(update={"unsent": {**late, **last.unsent}})
            self.state = self.state.model_copy(update={"history": (*earlier, marked)})

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
            metrics={**measures, **({"vote/unreadable": rates.unreadable} if rates.votes else {})},
        )

    def logged(self, logs: Mapping[str, float]) -> None:
        """Complete the iteration's record with what the trainer logged after its update."""
        if self._pending is None:
            return
        known = {_RENAMED.get(name, name): logs[name] for name in _FROM_LOGS if logs.get(name) is not None}
        unsent = self.tracking.send("train", self._pending.iteration + 1, tracked_metrics(self._pending, logs))
        record = self._pending.model_copy(update={"metrics": {**self._pending.metrics, **known}, "unsent": unsent})
        self.state = self.state.model_copy(update={"history": (*self.state.history, record)})
        self._pending = None


def tracked_metrics(measured: IterationRecord, logs: Mapping[str, float]) -> dict[str, float]:
    """What trackers get of an iteration: all that the trainer logged, under its own names, and what was measured here.

    Args:
        measured: the record before it is completed.
        logs: the trainer's, of the same iteration.
    """
    left_out = _OF_NO_REWARDS if measured.stage == "clue" else ()
    logged = {name: value for name, value in logs.items() if name not in left_out and not name.startswith("rewards/")}
    own = {
        **measured.metrics,
        **({name: getattr(measured, name) for name in _OF_VOTES} if measured.has_votes else {}),
        "is_clue_stage": float(measured.stage == "clue"),
    }
    numbers = {name: value for name, value in {**logged, **own}.items() if isinstance(value, (int, float))}
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}
