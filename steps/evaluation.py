"""Steps that evaluate policies on suites and compare them."""

from typing import Annotated

from zenml import log_metadata, step

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import EvaluateConfig
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.evaluation.suite_answers import AnsweredSuites
from vision_zero.policy.folder import PolicyFolder
from vision_zero.training.state import StageState


@step(enable_cache=False)
def answer_as_policy(config: EvaluateConfig) -> Annotated[AnsweredSuites, "policy_answers"]:
    """Evaluate the policy on all suites."""
    from vision_zero.evaluation.run_suites import answer_suites

    return answer_suites(config, config.policy)


@step(enable_cache=False)
def answer_as_base(config: EvaluateConfig) -> Annotated[AnsweredSuites, "base_answers"]:
    """Evaluate the policy that it is compared with, if there is one."""
    from vision_zero.evaluation.run_suites import answer_suites

    return answer_suites(config, config.compared_with)


@step(enable_cache=False)
def ask_suites(config: SelfPlayConfig, resumed: StageState, policy: PolicyFolder) -> Annotated[Scorecard, "suites"]:
    """Evaluate the run's policy and its base on the recipe's suites, with the promotion gate; the base's answers are cached."""
    from vision_zero.evaluation.score_suites import evaluate_trained

    scorecard = evaluate_trained(config, policy, resumed.refusals)
    log_metadata({name: accuracy.text() for name, accuracy in scorecard.accuracies.items()})
    return scorecard


@step(enable_cache=False)
def compare_answers(
    config: EvaluateConfig, policy: AnsweredSuites, base: AnsweredSuites
) -> Annotated[Scorecard, "evaluation_scores"]:
    """Score both, compare them item by item, and apply the promotion gate."""
    import click

    from vision_zero.evaluation.score_suites import score_answers

    scorecard = score_answers(config, policy, base)
    click.echo("\n".join(scorecard.summary()))
    log_metadata({name: accuracy.text() for name, accuracy in scorecard.accuracies.items()})
    return scorecard
