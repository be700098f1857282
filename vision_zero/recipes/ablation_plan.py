"""The runs of an ablation: every arm with every seed, each with its whole self-play configuration and a model name of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from vision_zero.config.ablation import AblationConfig, order, run_folder, slug
from vision_zero.config.base import Config, merged, problems
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.errors import ConfigError
from vision_zero.recipes.input_fingerprints import of_recipe

OPEN_GATE = {"tolerated_loss": 1.0, "largest_loss": 1.0, "must_improve": [], "required": []}
"""The gate of suites that lets every policy pass."""
Contents = Callable[[SelfPlayConfig], str]
"""The fingerprint of the files that a recipe names by address alone."""


class ArmRun(Config):
    """One arm with one seed."""

    arm: str
    seed: int
    number: int
    """Place among all of the ablation, from 1 …"""
    total: int
    """… to this."""
    model: str
    """Name of the model whose versions hold its progress; other settings or other files behind them are another model."""
    config: SelfPlayConfig
    """The whole self-play configuration."""
    final: SelfPlayConfig | None = None
    """The same as it is measured once more when its schedule is done."""

    @property
    def title(self) -> str:
        """For progress lines."""
        return f"[{self.number}/{self.total}] {self.arm}, seed {self.seed}"

    @property
    def key(self) -> str:
        """For names of steps and files."""
        return f"{slug(self.arm)}_{self.seed}"


def plan(config: AblationConfig, recipe: Mapping[str, Any], contents: Contents = of_recipe) -> list[ArmRun]:
    """All runs, seed by seed, so that every arm has been seen once before one is seen twice.

    Args:
        recipe: a self-play configuration as it stands in a file.
        contents: arms of other contents are other models, so that none is taken for done.

    Raises:
        ConfigError: the recipe with an arm's changes is no self-play configuration.
    """
    base = merged(recipe, config.changes)
    rules = _checked("all arms", base)
    # One game for all: an arm may train with other rules, but is measured under the recipe's. Arms are compared, not
    # promoted to anywhere, so neither alarms nor suites nor earlier versions block them.
    shared = {
        "evaluation": {"game": rules.evaluation.game or rules.game},
        "alarms": {"transfer_loss": 1.0, "unreadable": 1.0},
        "benchmarks": {"gate": OPEN_GATE},
        "promotion": {"pairs": 0},
    }
    known: dict[str, str] = {}
    runs: list[ArmRun] = []
    places = order(config)
    for arm, seed in places:
        folder = str(run_folder(config, arm.name, seed))
        own = merged(merged(base, arm.changes), {**shared, "seed": seed, "runs_folder": folder})
        settings = _checked(f"arm {arm.name!r}", own)
        final = None
        if config.final is not None:
            final = _checked("final", merged(own, {**config.final, "runs_folder": f"{folder}_final"}))
        # Seeds and arms share their files, and most arms share all of them.
        files = settings.model_dump_json(include={"policy": {"base", "revision"}, "pairs": True})
        if files not in known:
            known[files] = contents(settings)
        content = settings.model_dump_json(exclude={"runs_folder", "promotion"}) + known[files]
        digest = hashlib.blake2b(content.encode(), digest_size=4).hexdigest()
        model = f"ablation_{slug(config.name)}_{slug(arm.name)}_{seed}_{digest}"
        number = len(runs) + 1
        runs.append(ArmRun(arm=arm.name, seed=seed, number=number, total=len(places), model=model, config=settings, final=final))
    return runs


def _checked(who: str, settings: Mapping[str, Any]) -> SelfPlayConfig:
    try:
        return SelfPlayConfig.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(f"{who}: {problems(error)}") from error
