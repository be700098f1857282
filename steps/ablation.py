"""Steps of an ablation: train each arm, then compare them."""

from typing import Annotated

from zenml import log_metadata, step
from zenml.types import HTMLString

from vision_zero.config.ablation import AblationConfig
from vision_zero.recipes.ablation_plan import ArmRun
from vision_zero.training.state import StageState


@step(enable_cache=False)
def train_arm(arm: ArmRun, others: list[ArmRun], side_by_side: int) -> Annotated[StageState, "arm_state"]:
    """Run the remaining self-play runs of one arm with one seed, and of the ``others``."""
    from steps.arm_runs import finish_all

    state = finish_all([arm, *others], side_by_side)
    log_metadata({"arm": arm.arm, "seed": arm.seed, "model": arm.model, "iterations": state.iteration})
    return state


@step(enable_cache=False)
def compare(config: AblationConfig, states: list[StageState]) -> Annotated[HTMLString, "ablation_report"]:
    """Compare the arms: means and intervals over seeds, as a page, plain files, and a table in the log."""
    from vision_zero.experiments.ablation import compare_arms
    from vision_zero.report.ablation import print_table, write_result

    result = compare_arms(config, states)
    page, path = write_result(result, config.runs_folder)
    print_table(result, path)
    return HTMLString(page)
