"""Make the embedded policy: render images → SFT → held-out evaluation → export.

    zenml pipeline run pipelines.warm_start.warm_start -c configs/warm_start/nano.yaml

Takes hours on two CPU cores. If interrupted, run the same command again: it resumes.
"""

from pipelines.recipes import recipe_pipeline
from steps.hooks import RESUMABLE
from steps.warm_start import draw_pictures, examine_policy, export_policy, fine_tune
from vision_zero.config.warm_start import WarmStartConfig


@recipe_pipeline(enable_cache=False, **RESUMABLE)
def warm_start(config: WarmStartConfig) -> None:
    """Make the embedded policy."""
    policy = fine_tune(config, draw_pictures(config))
    export_policy(config, policy, examine_policy(config, policy))
