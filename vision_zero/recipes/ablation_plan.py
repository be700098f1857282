"""The runs of an ablation: every arm with every seed, each with its complete self-play configuration and its own model name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vision_zero.config.ablation import AblationConfig, order, run_folder, slug
from vision_zero.config.renamed import with_present_names
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config_base import Config, merged, validated
from vision_zero.errors import ConfigError
from vision_zero.recipes.input_fingerprints import of_recipe

OPEN_GATE = {"tolerated_loss": 1.0, "largest_loss": 1.0, "must_improve": [], "required": []}
"""A gate that every policy passes."""
Contents = Callable[[SelfPlayConfig], str]
"""Computes the fingerprint of the files that a recipe names by path or URL."""


class ArmRun(Config):
    """One arm with one seed."""

    arm: str
    seed: int
    number: int
    """Number among all runs, from 1 …"""
    total: int
    """… to this."""
    model: str
    """Name of the model whose versions hold its progress; it changes with settings and input files."""
    config: SelfPlayConfig
    """The complete self-play configuration."""
    final: SelfPlayConfig | None = None
    """The configuration of its final evaluation, if there is one."""

    @property
    def title(self) -> str:
        """Title for progress lines."""
        return f"[{self.number}/{self.total}] {self.arm}, seed {self.seed}"

    @property
    def key(self) -> str:
        """Name for steps and files."""
        return f"{slug(self.arm)}_{self.seed}"


def plan(config: AblationConfig, recipe: Mapping[str, Any], contents: Contents = of_recipe) -> list[ArmRun]:
    """All runs, seed by seed, so that each arm has run once before any runs twice.

    Args:
        recipe: a self-play configuration as in a file.
        contents: fingerprint function for input files; arms with other files are other models, and run again.

    Raises:
        ConfigError: the recipe with an arm's changes is not a self-play configuration, or would be evaluated otherwise.
    """
    base = merged(with_present_names(recipe), config.changes)
    rules = validated(SelfPlayConfig, base, "all arms")
    # An arm may train with other rules, but is evaluated with the recipe's. Arms are compared, not
    # deployed, so neither alarms nor suites nor earlier versions block promotion.
    shared = {
        "evaluation": {"game": rules.evaluation.game or rules.game},
        "alarms": {"transfer_loss": 1.0, "unreadable": 1.0},
        "suite_evaluation": {"gate": OPEN_GATE},
        "promotion": {"pairs": 0},
    }
    known: dict[str, str] = {}
    runs: list[ArmRun] = []
    places = order(config)
    for arm, seed in places:
        folder = str(run_folder(config, arm.name, seed))
        own = merged(merged(base, arm.changes), {**shared, "seed": seed, "runs_folder": folder})
        settings = validated(SelfPlayConfig, own, f"arm {arm.name!r}")
        _check_sampling(arm.name, settings, rules)
        final = None
        if config.final is not None:
            measured = merged(own, {**config.final, "runs_folder": f"{folder}_final"})
            final = validated(SelfPlayConfig, measured, "final")
        # Seeds share their input files, and so do most arms.
        files = settings.model_dump_json(include={"policy": {"base", "revision"}, "pairs": True})
        if files not in known:
            known[files] = contents(settings)
        content = _fingerprinted(settings) + known[files]
        digest = hashlib.blake2b(content.encode(), digest_size=4).hexdigest()
        model = f"ablation_{slug(config.name)}_{slug(arm.name)}_{seed}_{digest}"
        number = len(runs) + 1
        runs.append(ArmRun(arm=arm.name, seed=seed, number=number, total=len(places), model=model, config=settings, final=final))
    _check_servers(runs, config.side_by_side)
    return runs


def _check_sampling(arm: str, settings: SelfPlayConfig, rules: SelfPlayConfig) -> None:
    """An arm that samples otherwise would vote on other clues of the base, and speak and vote otherwise when it is evaluated."""
    of_arm, of_all = (each.policy.sampling.model_dump(exclude={"batch_size"}) for each in (settings, rules))
    for name, value in of_arm.items():
        if value != of_all[name]:
            raise ConfigError(
                f"arm {arm!r} may not change policy.sampling.{name}: all arms are evaluated with the same sampling (temperatures "
                "of training alone are set in learning.clue and learning.decision)"
            )


def _check_servers(runs: Sequence[ArmRun], side_by_side: int) -> None:
    """A server that an arm hands all its weights serves no other arm at the same time, and no adapters afterwards."""
    of_url: dict[str, set[bool]] = {}
    for run in runs:
        policy = run.config.policy
        for server in policy.server.servers if policy.server is not None else ():
            of_url.setdefault(server.url, set()).add(policy.adapter is None)
            if policy.adapter is None and side_by_side > 1:
                raise ConfigError(f"arm {run.arm!r} trains all weights with a server, which serves one run: set side_by_side 1")
    mixed = [url for url, kinds in of_url.items() if len(kinds) > 1]
    if mixed:
        raise ConfigError(f"{mixed[0]} is to serve arms with adapters and arms that train all weights: give them other servers")


def _fingerprinted(settings: SelfPlayConfig) -> str:
    """The settings that are part of a model's name, under the names by which the first models have them: a setting that is only
    renamed leaves finished arms finished."""
    return settings.model_dump_json(exclude={"runs_folder", "promotion"}).replace('"suite_evaluation":', '"suites":', 1)
