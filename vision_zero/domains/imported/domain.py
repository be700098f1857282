"""Pairs that somebody else made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vision_zero.domains.domain import Domain
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.order import Order
from vision_zero.domains.pair_rules import PairRule, same_elsewhere, shows_change
from vision_zero.domains.quality_thresholds import QualityThresholds
from vision_zero.errors import PairsError

if TYPE_CHECKING:
    from vision_zero.data.image_pair import Facts, ImagePair
    from vision_zero.data.source import PairSource
    from vision_zero.data.splits import SplitFilter


def _source(config: ImportedConfig, only: SplitFilter) -> PairSource:
    from vision_zero.domains.imported.source import ImportedSource

    return ImportedSource(config, only)


def _settings_for(order: Order) -> ImportedConfig:
    if order.location is None:
        raise PairsError("give the location of the pairs to import with --from")
    order.refuse_editing("imported pairs")
    return ImportedConfig(location=order.location, **order.given_size, **order.reading)


def _rules(quality: QualityThresholds) -> list[PairRule]:
    # What this project draws differs where the log says so; what others made may have been rendered or photographed twice.
    solid, moved = quality.min_solid_area, quality.max_moved_share
    return [
        *shows_change("imported", quality),
        PairRule(
            f"something differs beyond noise, in {solid:.1%} of the image at least",
            "solid_area",
            least=solid,
            told_as="differs beyond noise",
        ),
        PairRule(
            f"the camera stands still (at most {moved:.0%} of what has texture lies elsewhere)",
            "moved_share",
            most=moved,
            told_as="lies elsewhere",
        ),
        same_elsewhere(quality),
    ]


def _measure(pair: ImagePair, quality: QualityThresholds) -> dict[str, Any]:
    from vision_zero.domains.imported.image_motion import moved_share, solid_area

    if pair.original.size != pair.modified.size:
        return {}
    return {
        "solid_area": solid_area(pair.original, pair.modified),
        "moved_share": moved_share(pair.original, pair.modified),
    }


def _made_of(facts: Facts) -> str:
    return f"{facts.get('location', '')} {facts.get('id', '')}".strip()


def _files(config: ImportedConfig) -> str:
    from vision_zero.data.remote_storage import Storage
    from vision_zero.fingerprints import digest

    places = (config.location, config.pictures)
    return digest(*(Storage(place, config.storage).fingerprint() for place in places if place))


DOMAIN = Domain(
    name="imported",
    summary="Imported pairs; required if the mix or ``domain`` uses them.",
    things="imported pairs",
    step="import_pairs",
    config=ImportedConfig,
    source=_source,
    settings_for=_settings_for,
    rules=_rules,
    measure=_measure,
    made_of=_made_of,
    files=_files,
    gallery=Order("imported"),
    needs_location=True,
    is_cached=False,
    is_finite=True,
    is_read_in_order=True,
)
