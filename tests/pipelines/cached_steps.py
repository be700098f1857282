"""The cached steps of self-play as a pipeline of their own, from a state that is always the same."""

from typing import Annotated

from zenml import step

from pipelines.recipes import recipe_pipeline
from steps.cache_policy import take_fingerprints
from steps.pairs import make_all_pairs, validate_pairs
from steps.stages import measure_base
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.training.state import StageState


@step(enable_cache=False)
def begin(config: SelfPlayConfig) -> Annotated[StageState, "begun"]:
    return StageState.at_start(config.learning.switch)


@recipe_pipeline(enable_cache=True)
def pairs_and_base(config: SelfPlayConfig) -> None:
    """Make pairs, judge them, measure the base."""
    state = begin(config)
    *prints, validation, base = take_fingerprints(config)
    _, held_out, *_ = validate_pairs(config, make_all_pairs(config, 1, state, prints), validation)
    measure_base(config.of_base, held_out, base)
