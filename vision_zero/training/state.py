"""The stage state: all training state except weights and optimiser. One small JSON document, carried from run to run."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.learning import Stage, SwitchConfig
from vision_zero.config.tracking import TrackerName
from vision_zero.config_base import Config
from vision_zero.evaluation.comparison import Refused
from vision_zero.evaluation.estimates import Scores
from vision_zero.rewards.role_advantage import RoleBaselines


class Switch(Config):
    """A change of stage and what caused it: ``threshold``, ``patience`` or ``period``."""

    iteration: int
    to: Stage
    cause: str


class IterationRecord(Config):
    """Metrics of one iteration. Rates are shares of its votes, in the decision stage of those that were sampled in groups."""

    iteration: int
    stage: Stage
    run: str
    """Name of the run that made it."""
    accuracy: float
    """acc_t: share of right votes."""
    abstention: float
    """na_t: share of N/A."""
    running_accuracy: float
    """The controller's average after this iteration."""
    running_abstention: float
    metrics: dict[str, float] = Field(default_factory=dict)
    """Everything else by name: rewards by role, KL, entropy, lengths, parse failures, seconds by phase."""
    unsent: dict[TrackerName, str] = Field(default_factory=dict)
    """Trackers that did not get it, and why."""

    @property
    def has_votes(self) -> bool:
        """Were there votes at all? Without any, as in supervised training, all rates are 0 and say nothing."""
        return "vote/unreadable" in self.metrics


class StageState(Config):
    """The current stage, the controller's averages, the reward baselines, and the history since the first run."""

    rules: SwitchConfig = SwitchConfig()
    """The controller's settings, so that a state alone tells what comes next."""
    stage: Stage = "decision"
    iteration: int = 0
    """Iterations done."""
    since_switch: int = 0
    """d: iterations in the present stage."""
    accuracy_sum: float = 0.0
    """Running accuracy before bias correction: starts at 0 and decays by ρ."""
    abstention_sum: float = 0.0
    """Running N/A rate before bias correction."""
    weight: float = 0.0
    """Sum of the averages' weights so far, 1 - ρ^t: what bias correction divides by."""
    baselines: RoleBaselines = RoleBaselines()
    """RAE's running means."""
    switches: tuple[Switch, ...] = ()
    """All changes of stage."""
    history: tuple[IterationRecord, ...] = ()
    """All iterations of all runs, in order."""
    measured: tuple[Scores, ...] = ()
    """All held-out scores of all runs, in order."""
    refusals: int = Field(0, ge=0)
    """Runs that were not promoted since the version that this run began from: each further one draws other replies, since the
    same ones would end in the same refusal."""
    refused: tuple[Refused, ...] = ()
    """All versions that were refused before this run, the oldest first."""
    judged: int = Field(0, ge=0)
    """Runs of the model that promotion has judged before this one: each is judged on held-out pairs of its own."""

    @classmethod
    def at_start(cls, rules: SwitchConfig) -> StageState:
        """The initial state."""
        return cls(rules=rules, stage=rules.start)

    @property
    def evaluations(self) -> tuple[Scores, ...]:
        """Held-out scores by iteration, the first of each: later ones come from runs that trained nothing, on other pairs."""
        first: dict[int, Scores] = {}
        for scores in self.measured:
            first.setdefault(scores.iteration, scores)
        return tuple(first.values())

    def before(self, run: str) -> StageState:
        """The state without that run's part of the history."""
        earlier = tuple(record for record in self.history if record.run != run)
        return self.model_copy(update={"history": earlier, "iteration": len(earlier)})
