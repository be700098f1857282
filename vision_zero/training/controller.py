r"""The stage controller of Iterative-SPO (arXiv 2509.25541, algorithm 1): one pure function, :func:`advance`.

    acc ← ρ acc + (1 - ρ) acc_t        na ← ρ na + (1 - ρ) na_t        d = iterations since the last switch
    decision → clue:  acc ≥ 0.9 and na ≤ 0.1 and d ≥ K_min
    clue → decision:  (1 - acc ≥ 0.4 or na ≥ 0.5) and d ≥ K_min

Differs from the paper: the averages are bias-corrected unless ``ema_init: zero``; the patience P, which the paper lists and its
algorithm does not use, switches a stage after P iterations without a threshold hit.

Since it is a function of the rates alone, :func:`simulate` tries a recipe's constants without a policy. There the rates stay as
they are; in a run they move with what is learned, so it says where the constants lead and not what a run will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from vision_zero.config.learning import Stage, SwitchConfig
from vision_zero.errors import TrainingError
from vision_zero.evaluation.estimates import Scores
from vision_zero.training.state import StageState, Switch

_OTHER: dict[Stage, Stage] = {"clue": "decision", "decision": "clue"}
Rates = tuple[float, float]
"""Shares of right and of N/A votes in every iteration."""
USUAL_RATES: tuple[Rates, ...] = ((0.45, 0.2), (0.6, 0.05), (0.85, 0.02))
"""A policy that is little better than a guess (0.33), one that has learned something, and one that is ahead of the clues."""
SHOWN = 4
"""Stages that are listed."""
TRAINS: dict[Stage, str] = {"decision": "votes", "clue": "clues"}


def running_rates(state: StageState) -> tuple[float, float]:
    """The averaged accuracy and N/A rate; both 0 before the first iteration."""
    if state.rules.ema_init == "zero" or state.weight == 0.0:
        return state.accuracy_sum, state.abstention_sum
    return state.accuracy_sum / state.weight, state.abstention_sum / state.weight


def advance(state: StageState, accuracy: float, abstention: float) -> StageState:
    """The state after an iteration with this accuracy and N/A rate."""
    kept, new = state.rules.decay, 1 - state.rules.decay
    moved = state.model_copy(
        update={
            "iteration": state.iteration + 1,
            "since_switch": state.since_switch + 1,
            "accuracy_sum": kept * state.accuracy_sum + new * accuracy,
            "abstention_sum": kept * state.abstention_sum + new * abstention,
            "weight": kept * state.weight + new,
        }
    )
    cause = _cause(moved)
    if cause is None:
        return moved
    to = _OTHER[moved.stage]
    switch = Switch(iteration=moved.iteration, to=to, cause=cause)
    return moved.model_copy(update={"stage": to, "since_switch": 0, "switches": (*moved.switches, switch)})


def replayed(before: StageState, after: StageState, scores: Scores) -> StageState:
    """The state after a round, recomputed from the vote rates of its iterations, with the round's scores added.

    Raises:
        TrainingError: the recomputed state differs from the stages' states.
    """
    state = before
    for record in after.history[len(before.history) :]:
        state = advance(state, record.accuracy, record.abstention)
    if (state.stage, state.iteration, state.switches) != (after.stage, after.iteration, after.switches):
        raise TrainingError(
            f"the round ended in stage {after.stage} at iteration {after.iteration}, but its votes lead to stage "
            f"{state.stage} at iteration {state.iteration}: its states come from different runs"
        )
    return after.model_copy(update={"measured": (*after.measured, scores)})


@dataclass(frozen=True)
class SimulatedStages:
    """Which stage each iteration trains, and every change of stage."""

    rates: Rates
    stages: tuple[Stage, ...]
    switches: tuple[Switch, ...]

    def count(self, stage: Stage) -> int:
        """Iterations of that stage."""
        return self.stages.count(stage)

    def text(self) -> str:
        """One line: ``60 % right, 5 % N/A: votes 80, clues 20 of 100 iterations: votes 20 (patience), clues 5 (threshold), …``"""
        right, abstained = (f"{100 * rate:g} %" for rate in self.rates)
        totals = ", ".join(f"{words} {self.count(stage)}" for stage, words in TRAINS.items())
        lengths = [(TRAINS[stage], len(list(run))) for stage, run in groupby(self.stages)]
        causes = [f" ({switch.cause})" for switch in self.switches]
        parts = [f"{words} {length}{cause}" for (words, length), cause in zip(lengths, [*causes, ""], strict=False)]
        more = ", …" if len(parts) > SHOWN else ""
        return f"{right} right, {abstained} N/A: {totals} of {len(self.stages)} iterations: {', '.join(parts[:SHOWN])}{more}"


def simulate(rules: SwitchConfig, iterations: int, rates: Rates) -> SimulatedStages:
    """Let the controller decide after each of so many iterations, all of whose votes come at these rates."""
    state, stages = StageState.at_start(rules), []
    for _ in range(iterations):
        stages.append(state.stage)
        state = advance(state, *rates)
    return SimulatedStages(rates, tuple(stages), state.switches)


def simulation_lines(rules: SwitchConfig, iterations: int, rates: tuple[Rates, ...] = USUAL_RATES) -> list[str]:
    """The simulation as lines of text, with a heading."""
    lines = [f"  {simulate(rules, iterations, rate).text()}" for rate in rates]
    return ["stages, were the rates of votes to stay as they are:", *lines]


def _cause(state: StageState) -> str | None:
    """The reason to switch stages now; None to continue."""
    rules = state.rules
    if rules.rule == "never":
        return None
    if rules.rule == "fixed":
        return "period" if state.since_switch >= rules.period else None
    if state.since_switch >= rules.min_iterations and _is_threshold_hit(state):
        return "threshold"
    return "patience" if state.since_switch >= max(rules.patience, rules.min_iterations) else None


def _is_threshold_hit(state: StageState) -> bool:
    rules = state.rules
    accuracy, abstention = running_rates(state)
    if state.stage == "decision":
        return accuracy >= rules.accuracy_to_clue and abstention <= rules.abstention_to_clue
    return 1 - accuracy >= rules.error_to_decision or abstention >= rules.abstention_to_decision
