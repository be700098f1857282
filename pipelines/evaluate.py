"""Evaluate any policy on any suites beside another policy: answers of both → comparison.

    zenml pipeline run pipelines.evaluate.evaluate -c configs/evaluate/offline.yaml

If interrupted, run the same command again: answered items are recorded and not asked again.
"""

from pipelines.recipes import recipe_pipeline
from steps.evaluation import answer_as_base, answer_as_policy, compare_answers
from steps.hooks import RESUMABLE
from vision_zero.config.suites import EvaluateConfig


@recipe_pipeline(enable_cache=False, **RESUMABLE)
def evaluate(config: EvaluateConfig) -> None:
    """Evaluate a policy."""
    policy = answer_as_policy(config)
    base = answer_as_base(config)
    compare_answers(config, policy, base)
