"""Settings of an ablation: a self-play recipe, named changes to it (the arms), and seeds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from vision_zero.config.base import Config, RootConfig

Changes = dict[str, Any]
"""Settings that differ, nested as in a self-play recipe; mappings are merged, everything else is replaced."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9 .%-]{0,39}$")]
ACROSS_ARMS = ("seed", "evaluation", "runs_folder", "alarms")
"""What arms may not change: they would not be measured on the same held-out sets, or not be told apart."""
MEASUREMENT = ("evaluation", "benchmarks")
"""Settings that say what is measured."""
MEASURED = "measured.yaml"
"""In the folder of an arm's last measurement: the recipe that it was made with, once it is done."""
TRAINING_PAIRS = frozenset({"spoiled"})
"""Settings of pairs that leave the held-out ones alone."""


class Arm(Config):
    """A variant of the recipe."""

    name: Name
    """Its name in the report."""
    changes: Changes = Field(default_factory=dict)
    """What it changes; nothing for the recipe itself."""

    @model_validator(mode="after")
    def _is_measured_like_the_others(self) -> Self:
        strange = sorted(set(self.changes).intersection(ACROSS_ARMS))
        if strange:
            raise ValueError(f"arm {self.name!r} may not change {strange[0]}: arms are measured alike")
        if set(self.changes.get("pairs") or {}) - TRAINING_PAIRS:
            raise ValueError(f"arm {self.name!r} may change only pairs.spoiled of pairs: the held-out ones come from the others")
        return self


class AblationConfig(RootConfig):
    """Arms x seeds, all measured on the same held-out pairs, under the same rules."""

    name: Name
    """Names the report's folder and, with arm, seed, settings and the contents of the base and of the pairs' sources, the arms'
    models."""
    recipe: str = "configs/self_play/nano.yaml"
    """File that every arm starts from."""
    changes: Changes = Field(default_factory=dict)
    """What all arms change in the recipe; ``evaluation`` and ``alarms`` are changed here or not at all."""
    arms: tuple[Arm, ...] = Field(min_length=1)
    """The arms, in the report's order. A list: ZenML sorts the keys of mappings."""
    reference: Name
    """The arm that the others are compared with."""
    final: Changes | None = None
    """What changes, of ``evaluation`` and ``benchmarks``, for one more measurement of each arm when its schedule is done: more
    held-out pairs, and suites. It is what ``vision-zero results --ablation`` shows; the ablation's own report and its courses
    are of the measurements on the way. None: there is no such measurement."""
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0, 1, 2), min_length=1)
    """Every arm is run with each of these as the run's seed."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals over seeds and held-out pairs."""
    side_by_side: int = Field(1, ge=1)
    """Arms that are trained at the same time, each with its share of the cores: a small policy's work does not fill them. Their
    output then goes into files beside their recipes."""
    runs_folder: str = "runs"
    """Folder that gets the report, and below it each arm's runs."""

    @model_validator(mode="after")
    def _arms_are_comparable(self) -> Self:
        if self.reference not in {arm.name for arm in self.arms}:
            raise ValueError(f"reference {self.reference!r} is not one of the arms")
        strange = sorted(set(self.final or {}) - set(MEASUREMENT))
        if strange:
            raise ValueError(f"final may not change {strange[0]}: it measures what was trained")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds must differ: the same seed gives the same run")
        if len({slug(arm.name) for arm in self.arms}) < len(self.arms):
            raise ValueError("arms must differ in letters and digits: they name models")
        return self


def order(config: AblationConfig) -> list[tuple[Arm, int]]:
    """Every arm with every seed, in the order of the runs."""
    return [(arm, seed) for seed in config.seeds for arm in config.arms]


def run_folder(config: AblationConfig, arm: str, seed: int) -> Path:
    """Where the runs of an arm with one seed are kept; the recipe that they were started with has that name and ``.yaml``."""
    return Path(config.runs_folder) / slug(config.name) / f"{slug(arm)}_{seed}"


def slug(name: str) -> str:
    """A name of letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
