"""Configuration of ``build_pairs``: pairs of one domain, written as parquet files."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from vision_zero.config.sources import DomainName, SourcesConfig
from vision_zero.config_base import RootConfig
from vision_zero.domains.registry import FIRST, domain_of
from vision_zero.randomness import HELD_OUT_SEEDS


class BuildPairsConfig(RootConfig, SourcesConfig):
    """Which pairs are built, and where they are written."""

    seed: int = Field(0, ge=0, lt=HELD_OUT_SEEDS.start)
    """The same seed gives the same pairs."""
    domain: DomainName = FIRST
    """The domain."""
    train: int = Field(200, ge=0)
    """Training pairs. Imported pairs are used once each, so there may be fewer."""
    held_out: int = Field(40, ge=0)
    """Held-out pairs, made from other photos, data files or imported pairs than the training pairs."""
    pairs_per_file: int = Field(500, ge=1)
    """Pairs in one parquet file."""
    processes: int = Field(1, ge=1, le=256)
    """Parallel processes; the pairs do not depend on their number."""
    parts: int = Field(1, ge=1, le=99_999)
    """Separate runs that share the work, on any machines; ``vision-zero join-pairs`` joins what they have built. The pairs do not
    depend on their number."""
    part: int = Field(0, ge=0)
    """The part that this run builds, from 0 on. A run that was killed is continued by another one of the same part."""
    folder: str = "runs"
    """Folder for the files of each run; with several ``parts`` one that all of them share."""

    @model_validator(mode="after")
    def _pairs_can_be_built(self) -> Self:
        if not self.train + self.held_out:
            raise ValueError("train and held_out are both 0: ask for at least one pair")
        if getattr(self, self.domain) is None:
            raise ValueError(f"domain is {self.domain}: say under {self.domain} where the {domain_of(self.domain).things} are")
        if self.part >= self.parts:
            raise ValueError(f"part is {self.part}, but parts are counted from 0 to {self.parts - 1}")
        if self.parts > 1 and domain_of(self.domain).is_read_in_order:
            raise ValueError(f"pairs of the domain {self.domain} exist, and one run reads them in order: leave parts out")
        return self
