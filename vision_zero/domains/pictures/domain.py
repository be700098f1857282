"""Single images, beside which the spy sees an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vision_zero.domains.domain import Domain
from vision_zero.domains.order import Order
from vision_zero.domains.pair_rules import PairRule
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.domains.quality_thresholds import QualityThresholds

if TYPE_CHECKING:
    from vision_zero.data.image_pair import ImagePair
    from vision_zero.data.source import PairSource
    from vision_zero.data.splits import SplitFilter


def _source(config: PicturesConfig, only: SplitFilter) -> PairSource:
    from vision_zero.domains.pictures.source import PictureSource

    return PictureSource(config, only)


def _settings_for(order: Order) -> PicturesConfig:
    order.refuse_editing("single images")
    return PicturesConfig(location=order.location, **order.given_size, **order.reading)


def _rules(quality: QualityThresholds) -> list[PairRule]:
    least, _, _ = quality.bounds_of("pictures")
    threshold = quality.pixel_threshold
    return [
        PairRule(f"something is shown, in {least:.2%} of the image at least", "changed_area", least),
        PairRule(f"more than one plain colour (values differ by more than {threshold})", "colour_range", threshold + 1),
    ]


def _measure(pair: ImagePair, quality: QualityThresholds) -> dict[str, Any]:
    from vision_zero.domains.pictures.source import measure

    return measure(pair, quality.pixel_threshold)


def _files(config: PicturesConfig) -> str:
    from vision_zero.data.remote_storage import Storage

    return Storage(config.location, config.storage).fingerprint() if config.location else ""


DOMAIN = Domain(
    name="pictures",
    summary="Single images; the spy sees a blank one.",
    things="single images",
    step="show_pictures",
    config=PicturesConfig,
    source=_source,
    settings_for=_settings_for,
    rules=_rules,
    measure=_measure,
    made_of=lambda facts: str(facts.get("picture", "")),
    files=_files,
    is_cached=False,
    is_edited=False,
    is_finite=True,
)
