"""The suites of a self-play run: the trained policy beside its base, with answers that are kept from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import AnswererConfig, EvaluateConfig, SuitesConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.extraction.answer import VERSION
from vision_zero.evaluation.comparison import why_blocked
from vision_zero.evaluation.run_suites import answer_suites, open_suites
from vision_zero.evaluation.score_suites import score_answers
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.evaluation.suite import Suite
from vision_zero.fingerprints import digest
from vision_zero.policy.folder import PolicyFolder


def evaluate_trained(config: SelfPlayConfig, policy: PolicyFolder, refusals: int = 0) -> Scorecard:
    """A self-play run's policy beside its base on the suites of its recipe, and what the gate says.

    Answers are kept in ``runs/suites/<protocol and items>``, so that the base answers each suite once, not once a run.

    Raises:
        EvaluationError: a suite cannot be opened, or its records there were made under another protocol.
    """
    asked, player = config.suite_evaluation, config.policy
    if not asked.suites:
        return Scorecard(policy=player.base, base=None, suites=(), blocked=why_blocked([], asked.gate))
    opened = open_suites(asked)
    base = AnswererConfig(
        **{name: getattr(player, name) for name in ("base", "revision", "dtype", "trust_remote_code", "pictures")}
    )
    trained = base.model_copy(update={"adapter": None if policy.path is None else str(policy.path)})
    comparison = EvaluateConfig(
        **{name: getattr(asked, name) for name in SuitesConfig.model_fields},
        policy=trained,
        base=base,
        folder=str(Path(config.runs_folder) / "suites" / _fingerprint(asked, opened)),
    )
    ours, theirs = (answer_suites(comparison, who, opened) for who in (comparison.policy, comparison.compared_with))
    return score_answers(comparison, ours, theirs, refusals)


def _fingerprint(asked: SuitesConfig, opened: Sequence[Suite]) -> str:
    """Names the folder of answers: another protocol, other rules or other items get another folder."""
    how = asked.model_dump_json(include={"suites", "sampling", "limit", "judge"})
    items = [_item(suite, number) for suite in opened for number in range(len(suite))[: asked.limit]]
    return digest(how, VERSION, *(f"{suite.name} {suite.version}" for suite in opened), *items)[:12]


def _item(suite: Suite, number: int) -> str:
    try:
        return suite.digest(number)
    except EvaluationError:  # its picture is missing: it is recorded as a fault when it is asked
        return ""
