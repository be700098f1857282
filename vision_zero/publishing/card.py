"""The card of a published policy: base, how it was trained, on what, its scores beside the base's, limits."""

from __future__ import annotations

from collections import Counter

from vision_zero.config.publish import PublishConfig
from vision_zero.data.validation.verdict import Verdict
from vision_zero.evaluation.estimates import Scores
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.jinja import text_template
from vision_zero.policy.base_models import is_on_the_hub
from vision_zero.training.state import StageState


def published_card(
    config: PublishConfig,
    *,
    base: str,
    is_whole: bool = False,
    name: str,
    state: StageState,
    verdict: Verdict,
    scores: Scores,
    suites: Scorecard,
) -> str:
    """Markdown with the hub's YAML head.

    Args:
        base: the frozen base, as others find it.
        is_whole: all weights were trained, instead of an adapter.
        name: model and version, as the registry names them.
        verdict: of the last run's pairs.
        scores: held-out scores of this version.
        suites: what it scored on the recipe's suites; may be empty.
    """
    return text_template("vision_zero.publishing", "card.md.j2").render(
        config=config,
        base=base,
        is_base_on_the_hub=is_on_the_hub(base),
        place=config.target.removeprefix("hub:") if config.target.startswith("hub:") else "path/of/this/folder",
        is_whole=is_whole,
        name=name,
        state=state,
        stages=Counter(record.stage for record in state.history),
        runs=len({record.run for record in state.history}),
        verdict=verdict,
        scores=scores,
        suites=suites,
    )
