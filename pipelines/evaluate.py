"""Evaluate any policy on any suites beside another policy: answers of both → comparison.

    zenml pipeline run pipelines.evaluate.evaluate -c configs/evaluate/offline.yaml

If interrupted, run the same command again: answered items are recorded and not asked again.
"""

from pipelines.recipes import recipe_pipeline
from steps.evaluation import answer_as_base, answer_as_policy, compare_answers
from steps.hooks import IT_GOES_ON, say_on_ctrl_c, say_that_it_goes_on
from vision_zero.config.suites import EvaluateConfig


@recipe_pipeline(
    enable_cache=False, on_init=say_on_ctrl_c, on_init_kwargs={"what_stands": IT_GOES_ON}, on_failure=say_that_it_goes_on
)
def evaluate(config: EvaluateConfig) -> None:
    """Evaluate a policy."""
    policy = answer_as_policy(config)
    base = answer_as_base(config)
    compare_answers(config, policy, base)
