"""The card of a trained policy: what it is, what made it, and how to load it."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from vision_zero.config.policy import PolicyConfig


def policy_card(config: PolicyConfig, *, iteration: int, iterations: int, stage: str, run: str) -> str:
    """Markdown for the folder of a policy that has been trained for ``iteration`` of ``iterations``."""
    environment = Environment(loader=PackageLoader("vision_zero.policy"), undefined=StrictUndefined, autoescape=False)
    return environment.get_template("card.md.j2").render(
        config=config, iteration=iteration, iterations=iterations, stage=stage, run=run
    )
