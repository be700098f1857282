"""Arms x seeds: train every arm by its own self-play runs, then compare them on the same held-out pairs.

    zenml pipeline run pipelines.ablation.ablation -c configs/ablation/quick.yaml

If interrupted, run the same command again: finished arms are kept. Made for a workstation: each step starts its arm's runs on
the active stack and waits for them.
"""

from pipelines.recipes import recipe_pipeline
from steps.ablation import compare, train_arm
from steps.hooks import RESUMABLE
from vision_zero.config.ablation import AblationConfig
from vision_zero.recipes.check import read_arms


@recipe_pipeline(enable_cache=False, **RESUMABLE)
def ablation(config: AblationConfig) -> None:
    """One step per arm and seed, one after another, and a report; the first step of a parallel group trains all of its arms."""
    first, *rest = read_arms(config)
    states = []
    for arm in (first, *rest):
        others = rest if arm is first and config.side_by_side > 1 else []
        states.append(train_arm(arm, others, config.side_by_side, id=f"arm_{arm.number:02}_{arm.key}"))
    compare(config, states)
