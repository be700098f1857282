"""Photos, and edits of regions in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vision_zero.domains.domain import Domain
from vision_zero.domains.order import Order
from vision_zero.domains.pair_rules import log_fault, log_is_true, same_elsewhere, shows_change
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.quality_thresholds import AreaBounds, QualityThresholds

if TYPE_CHECKING:
    from vision_zero.data.image_pair import ImagePair
    from vision_zero.data.source import PairSource
    from vision_zero.data.splits import SplitFilter


def _source(config: PhotosConfig, only: SplitFilter) -> PairSource:
    from vision_zero.domains.photos.source import PhotoSource

    return PhotoSource(config, only=only)


def _measure(pair: ImagePair, quality: QualityThresholds) -> dict[str, Any]:
    from vision_zero.domains.photos.source import log_against_edits

    return {"log_fault": log_fault(log_against_edits, pair)}


def _files(config: PhotosConfig) -> str:
    from vision_zero.data.model_files import model_fingerprint
    from vision_zero.data.remote_storage import Storage
    from vision_zero.fingerprints import digest

    files = Storage(config.location, config.storage).fingerprint() if config.location else ""
    return digest(files, model_fingerprint(config.instruction.model) if config.instruction else "")


DOMAIN = Domain(
    name="photos",
    summary="Edited photos.",
    things="photos",
    step="edit_photos",
    config=PhotosConfig,
    source=_source,
    settings_for=lambda order: PhotosConfig(**order.drawing, location=order.location, **order.reading),
    rules=lambda quality: [*shows_change("photos", quality), log_is_true("pictures"), same_elsewhere(quality)],
    measure=_measure,
    bounds=AreaBounds(max_changed_area=0.4, max_similarity=1.0),
    edits=lambda config: {} if config.instruction else config.edits,  # who takes instructions names kinds of their own
    made_of=lambda facts: str(facts.get("photo", "")),
    files=_files,
    gallery=Order("photos", seed=6),
)
