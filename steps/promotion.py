"""First and last steps of a run: load the promoted policy; compare the new one with it, and promote it."""

import logging
from typing import Annotated

from zenml import get_step_context, log_metadata, step
from zenml.types import HTMLString

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.evaluation.promotion import Promotion
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.policy.folder import PolicyFolder
from vision_zero.training.diagnostics import Alarms
from vision_zero.training.state import StageState

_LOGGER = logging.getLogger(__name__)
POLICY, STATE = "trained_policy", "stage_state"
"""Artifacts that the next run resumes from, by name in the model version."""


@step(enable_cache=False)
def resume(
    config: SelfPlayConfig,
) -> tuple[Annotated[StageState, "resumed_state"], Annotated[PolicyFolder, "resumed_policy"], Annotated[int, "resumed_version"]]:
    """Resume from the model version in production, or start from the base if there is none."""
    from steps.model_registry import hold_run_lock, production_version, promoted_artifact, refused_since
    from vision_zero.config.tracking import check_installed
    from vision_zero.recipes.nano_limits import notes_on

    check_installed(config.tracking)
    for number, note in enumerate(notes_on(config), 1):
        _LOGGER.warning(note)
        log_metadata({f"note {number}": note})
    hold_run_lock(get_step_context().pipeline_run.name)
    version = production_version()
    number = 0 if version is None else version.number
    refused = refused_since(number)
    if refused:
        log_metadata({"refused since": {f"version {one.version}": one.reason for one in refused}})
    now = {"rules": config.learning.switch, "refusals": len(refused), "refused": refused, "judged": len(refused)}
    if version is None:
        log_metadata({"resumed from": "the untrained base: this is the first run"})
        return StageState.at_start(config.learning.switch).model_copy(update=now), PolicyFolder(None), number
    state: StageState = promoted_artifact(version, STATE)
    policy: PolicyFolder = promoted_artifact(version, POLICY)
    log_metadata({"resumed from": f"version {number}", "stage": state.stage, "iteration": state.iteration})
    # Count the version in production and those before it, too: they were judged.
    now |= {"refused": (*state.refused, *refused), "judged": state.judged + 1 + len(refused)}
    return state.model_copy(update=now), policy, number


@step(enable_cache=False)
def promote(
    resumed_version: int,
    state: StageState,
    policy: PolicyFolder,
    alarms: Alarms,
    suites: Scorecard,
    promotion: Promotion,
    report: HTMLString,
) -> Annotated[int, "promoted_version"]:
    """Put this run's policy and state into production, unless an alarm, the suites' gate or the comparison with the version in
    production blocks it, or another run was promoted meanwhile."""
    from steps.model_registry import put_into_production, refuse

    if alarms.objection:
        refuse(alarms.objection, kept=resumed_version)
    if suites.blocked:
        refuse(f"the suites: {suites.blocked}", kept=resumed_version)
    if promotion.objection:
        refuse(promotion.objection, kept=resumed_version)
    number = put_into_production(expected=resumed_version)
    log_metadata({"promoted": f"version {number}", "replaces": f"version {resumed_version}" if resumed_version else "nothing"})
    return number


@step(enable_cache=False)
def judge(
    config: SelfPlayConfig,
    resumed: StageState,
    production: PolicyFolder,
    version: int,
    state: StageState,
    policy: PolicyFolder,
    promotion_pairs: PairTable,
) -> Annotated[Promotion, "promotion"]:
    """Compare the policy with the version in production: is it significantly worse, or are its replies unreadable?"""
    from vision_zero.evaluation.promotion import Judge
    from vision_zero.policy.loading import load_beside

    rival = f"version {version}" if version else "the frozen base"
    judge = Judge(config, rival, resumed.judged, resumed.refused)
    if not config.promotion.pairs:
        found = judge.unheard("not compared with the version in production: promotion.pairs is 0")
    elif policy.path is None or state.iteration == resumed.iteration:
        found = judge.unheard("nothing was trained, so there is nothing to compare")
    else:
        both = load_beside(config.policy, policy.path, production.path, is_merged=config.learning.merged_play)
        found = judge.compare(*both, promotion_pairs)
    log_metadata({"beside": rival, "pairs": found.pairs, "objection": found.objection or "none"})
    return found
