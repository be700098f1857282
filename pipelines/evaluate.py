"""Any policy on any suites, beside the one that it is compared with: both answer → compare.

    zenml pipeline run pipelines.evaluate.evaluate -c configs/evaluate/offline.yaml

Interrupted at any time, the same command goes on where it stopped: every answered item is recorded, and none is asked twice.
"""

from pipelines.recipes import recipe_pipeline
from steps.evaluation import answer_as_base, answer_as_policy, compare_answers
from steps.hooks import IT_GOES_ON, say_on_ctrl_c, say_that_it_goes_on
from vision_zero.config.suites import EvaluateConfig


@recipe_pipeline(
    enable_cache=False, on_init=say_on_ctrl_c, on_init_kwargs={"what_stands": IT_GOES_ON}, on_failure=say_that_it_goes_on
)
def evaluate(config: EvaluateConfig) -> None:
    """Measure a policy."""
    policy = answer_as_policy(config)
    base = answer_as_base(config)
    compare_answers(config, policy, base)
