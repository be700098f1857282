"""Publish the policy of a model version: build the folder → upload it.

    zenml pipeline run pipelines.publish.publish -c configs/publish/folder.yaml

Nothing is trained or promoted; the recipe names the version.
"""

from pipelines.recipes import recipe_pipeline
from steps.publishing import build_folder, deliver_folder
from vision_zero.config.publish import PublishConfig


@recipe_pipeline(enable_cache=False)
def publish(config: PublishConfig) -> None:
    """Publish a merged model or an adapter, with its card."""
    deliver_folder(config, build_folder(config))
