"""The step that compares a run's policy with the version in production."""

from typing import Annotated

from zenml import log_metadata, step

from materializers.documents import PromotionMaterializer
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.evaluation.promotion import Promotion
from vision_zero.policy.folder import PolicyFolder
from vision_zero.training.state import StageState


@step(enable_cache=False, output_materializers=PromotionMaterializer)
def judge(
    config: SelfPlayConfig,
    resumed: StageState,
    production: PolicyFolder,
    version: int,
    state: StageState,
    policy: PolicyFolder,
    promotion_pairs: PairTable,
) -> Annotated[Promotion, "promotion"]:
    """Compare the policy with the version in production: is it significantly worse, or are its replies unreadable?"""
    from vision_zero.evaluation.promotion import Judge
    from vision_zero.policy.loading import load_beside

    rival = f"version {version}" if version else "the frozen base"
    judge = Judge(config, rival, resumed.judged, resumed.refused)
    if not config.promotion.pairs:
        found = judge.unheard("not compared with the version in production: promotion.pairs is 0")
    elif policy.path is None or state.iteration == resumed.iteration:
        found = judge.unheard("nothing was trained, so there is nothing to compare")
    else:
        both = load_beside(config.policy, policy.path, production.path, is_merged=config.learning.merged_play)
        found = judge.compare(*both, promotion_pairs)
    log_metadata({"beside": rival, "pairs": found.pairs, "objection": found.objection or "none"})
    return found
