"""The model card of a trained policy: base, training, and how to load it."""

from __future__ import annotations

from vision_zero.config.policy import PolicyConfig
from vision_zero.jinja import text_template


def policy_card(config: PolicyConfig, *, iteration: int, iterations: int, stage: str, run: str) -> str:
    """Markdown for a policy trained for ``iteration`` of ``iterations``."""
    return text_template("vision_zero.policy", "card.md.j2").render(
        config=config, iteration=iteration, iterations=iterations, stage=stage, run=run
    )
