"""Settings of an ablation: a self-play recipe, variants of it (the arms), and seeds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from vision_zero.config.renamed import with_present_names
from vision_zero.config_base import Config, RootConfig

Changes = Annotated[dict[str, Any], BeforeValidator(with_present_names)]
"""Changes to a self-play recipe, nested as there; mappings are merged, everything else is replaced."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9 .%-]{0,39}$")]
ACROSS_ARMS = ("seed", "evaluation", "runs_folder", "alarms")
"""Settings that arms may not change: arms must share the held-out pairs, and have distinct runs."""
MEASUREMENT = ("evaluation", "suite_evaluation")
"""Settings of the evaluation."""
MEASURED = "measured.yaml"
"""File in the folder of an arm's final evaluation: its recipe, written when it is done."""
TRAINING_PAIRS = frozenset({"spoiled"})
"""Settings of pairs that do not affect the held-out ones."""


class Arm(Config):
    """A variant of the recipe."""

    name: Name
    """Name in the report."""
    changes: Changes = Field(default_factory=dict)
    """Changes to the recipe; empty for the recipe itself."""

    @model_validator(mode="after")
    def _is_measured_like_the_others(self) -> Self:
        strange = sorted(set(self.changes).intersection(ACROSS_ARMS))
        if strange:
            raise ValueError(f"arm {self.name!r} may not change {strange[0]}: all arms are evaluated in the same way")
        if set(self.changes.get("pairs") or {}) - TRAINING_PAIRS:
            raise ValueError(f"arm {self.name!r} may change only pairs.spoiled of pairs: the held-out ones come from the others")
        return self


class AblationConfig(RootConfig):
    """Arms x seeds, all evaluated on the same held-out pairs with the same rules and sampling. Prompts that name the rewards of
    votes (``game.prompt: paper``) name those of the arm."""

    name: Name
    """Name of the report's folder, and part of the names of the arms' models, with arm, seed and a fingerprint of settings, base
    and sources of pairs."""
    recipe: str = "configs/self_play/nano.yaml"
    """The recipe that every arm starts from."""
    changes: Changes = Field(default_factory=dict)
    """Changes to the recipe for all arms; ``evaluation`` and ``alarms`` can only be changed here."""
    arms: tuple[Arm, ...] = Field(min_length=1)
    """The arms, in the order of the report. A list, because ZenML sorts the keys of mappings."""
    reference: Name
    """The arm that the others are compared with."""
    final: Changes | None = None
    """Changes to ``evaluation`` and ``suite_evaluation`` for one larger evaluation of each finished arm, such as more held-out
    pairs, or suites. ``vision-zero results --ablation`` shows it; the ablation's own report and curves show the evaluations
    during training. Null: no such evaluation."""
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0, 1, 2), min_length=1)
    """Every arm is run once with each of these seeds."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals over seeds and held-out pairs."""
    side_by_side: int = Field(1, ge=1)
    """Arms that are trained in parallel, each with an equal share of the cores (a small policy does not use all of them). Their
    output goes into files beside their recipes."""
    runs_folder: str = "runs"
    """Folder for the report and, below it, the runs of each arm."""

    @model_validator(mode="after")
    def _arms_are_comparable(self) -> Self:
        if self.reference not in {arm.name for arm in self.arms}:
            raise ValueError(f"reference {self.reference!r} is not one of the arms")
        strange = sorted(set(self.final or {}) - set(MEASUREMENT))
        if strange:
            raise ValueError(f"final may not change {strange[0]}: it only evaluates what was trained")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds must differ: the same seed gives the same run")
        if len({slug(arm.name) for arm in self.arms}) < len(self.arms):
            raise ValueError("arms must differ in letters and digits: they name models")
        return self


def order(config: AblationConfig) -> list[tuple[Arm, int]]:
    """Every arm with every seed, in the order of the runs."""
    return [(arm, seed) for seed in config.seeds for arm in config.arms]


def run_folder(config: AblationConfig, arm: str, seed: int) -> Path:
    """Folder of the runs of an arm with one seed; their recipe is beside it, under the same name with ``.yaml``."""
    return Path(config.runs_folder) / slug(config.name) / f"{slug(arm)}_{seed}"


def slug(name: str) -> str:
    """A name of letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
