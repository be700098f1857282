"""The embedded policy from nothing: draw pictures → teach → examine → export.

    zenml pipeline run pipelines.warm_start.warm_start -c configs/warm_start/nano.yaml

Hours on two CPU cores. Interrupted at any time, the same command goes on where it stopped.
"""

from pipelines.recipes import recipe_pipeline
from steps.hooks import IT_GOES_ON, say_on_ctrl_c, say_that_it_goes_on
from steps.warm_start import draw_pictures, examine_policy, export_policy, teach
from vision_zero.config.warm_start import WarmStartConfig


@recipe_pipeline(
    enable_cache=False, on_init=say_on_ctrl_c, on_init_kwargs={"what_stands": IT_GOES_ON}, on_failure=say_that_it_goes_on
)
def warm_start(config: WarmStartConfig) -> None:
    """Make the policy that ships with this project."""
    policy = teach(config, draw_pictures(config))
    export_policy(config, policy, examine_policy(config, policy))
