r"""The stage controller of Iterative-SPO (arXiv 2509.25541, algorithm 1): one pure function.

    acc ← ρ acc + (1 - ρ) acc_t        na ← ρ na + (1 - ρ) na_t        d = iterations since the last switch
    decision → clue:  acc ≥ 0.9 and na ≤ 0.1 and d ≥ K_min
    clue → decision:  (1 - acc ≥ 0.4 or na ≥ 0.5) and d ≥ K_min

Differs from the paper: the averages are bias-corrected unless ``ema_init: zero``; the patience P, which the paper lists and its
algorithm does not use, switches a stage after P iterations without a threshold hit.
"""

from __future__ import annotations

from vision_zero.config.learning import Stage
from vision_zero.errors import TrainingError
from vision_zero.evaluation.estimates import Scores
from vision_zero.training.state import StageState, Switch

_OTHER: dict[Stage, Stage] = {"clue": "decision", "decision": "clue"}


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
