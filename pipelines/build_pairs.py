"""Pairs of one domain: make → validate → write files. Memory does not grow with their number.

    zenml pipeline run pipelines.build_pairs.build_pairs -c configs/build_pairs/scenes.yaml

The files are ordinary parquet: use them in other training code, or as ``pairs.imported`` of ``self_play``.
"""

from pipelines.recipes import recipe_pipeline
from steps.build_pairs import judge_and_divide, make, write_files
from vision_zero.config.build_pairs import BuildPairsConfig


@recipe_pipeline(enable_cache=False)
def build_pairs(config: BuildPairsConfig) -> None:
    """Build, validate and store pairs."""
    pairs, quarantined, verdict = judge_and_divide(config, make(config))
    write_files(config, pairs, quarantined, verdict)
