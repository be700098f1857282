"""The configuration of ``build_pairs``: one source alone, as many pairs as wanted, written as files that training tools read."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from vision_zero.config.base import RootConfig
from vision_zero.config.pairs import Domain
from vision_zero.config.sources import SourcesConfig
from vision_zero.randomness import HELD_OUT_SEEDS


class BuildPairsConfig(RootConfig, SourcesConfig):
    """Which pairs are built, and where to."""

    seed: int = Field(0, ge=0, lt=HELD_OUT_SEEDS.start)
    """The same seed builds the same pairs."""
    domain: Domain = "scenes"
    """The source."""
    train: int = Field(200, ge=0)
    """Training pairs; of imported ones each is taken once, so there may be fewer."""
    held_out: int = Field(40, ge=0)
    """Held-out pairs, made of other photos, tables or imported pairs than the training ones."""
    pairs_per_file: int = Field(500, ge=1)
    """Pairs in one parquet file."""
    processes: int = Field(1, ge=1, le=256)
    """Processes that make pairs side by side; the pairs are the same whatever their number."""
    folder: str = "runs"
    """Folder that gets a folder of plain files for each run."""

    @model_validator(mode="after")
    def _there_is_something_to_build(self) -> Self:
        if not self.train + self.held_out:
            raise ValueError("train and held_out are both 0: ask for at least one pair")
        if self.domain == "imported" and self.imported is None:
            raise ValueError("domain is imported: say under imported where the pairs are")
        return self
