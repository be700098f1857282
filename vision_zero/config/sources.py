"""Settings of the sources of pairs, composed from the registered domains, and of the quality checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import Field, create_model

from vision_zero.config_base import Config, named_in
from vision_zero.domains.domain import Domain
from vision_zero.domains.quality_thresholds import AreaBounds, QualityThresholds
from vision_zero.domains.registry import DOMAINS
from vision_zero.errors import PairsError

C = TypeVar("C", bound=Config)


DomainName = Annotated[str, named_in(DOMAINS, "domain of pairs")]
"""The name of a registered domain."""


class QualityConfig(QualityThresholds):
    """Quality checks of pairs; a pair that fails one is quarantined with the reason."""

    by_domain: dict[DomainName, AreaBounds] = Field(
        {name: domain.bounds for name, domain in DOMAINS.items() if domain.bounds is not None}
    )
    """Overrides for some domains: a changed label of a chart is small but readable, a changed colour scale covers a full chart,
    and SSIM does not see a change between colours of equal brightness."""


if TYPE_CHECKING:
    DomainSettings = Config
else:
    DomainSettings = create_model(
        "DomainSettings",
        __base__=Config,
        __module__=__name__,
        __doc__="The settings of each registered domain, under its name.",
        **{name: (domain.accepted, Field(domain.default, description=domain.summary)) for name, domain in DOMAINS.items()},
    )


class SourcesConfig(DomainSettings):
    """Settings of each registered domain, the held-out share, and quality checks."""

    held_out_share: float = Field(0.2, gt=0.0, lt=1.0)
    """Share of photos, images, ChartQA data files or imported pairs that only held-out pairs are made of; training never sees
    them."""
    quality: QualityConfig = QualityConfig()
    """Quality checks."""

    def of(self, domain: Domain[C]) -> C:
        """The settings of a domain.

        Raises:
            PairsError: it needs a location, and none is given.
        """
        settings: C | None = getattr(self, domain.name)
        if settings is None:
            raise PairsError(f"pairs.{domain.name} is missing: say where the {domain.things} are")
        return settings
