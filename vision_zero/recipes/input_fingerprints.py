"""Fingerprints, by content, of the files that a recipe names by path or URL and that its results depend on."""

from __future__ import annotations

from vision_zero.config.pairs import Domain
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.data.remote_storage import NotThereError, Storage
from vision_zero.fingerprints import digest
from vision_zero.policy.base_models import base_fingerprint


def of_base(config: PolicyConfig) -> str:
    """Fingerprint of the base of a policy."""
    return base_fingerprint(config.base, config.revision)


def of_pairs(domain: Domain, config: SourcesConfig) -> str:
    """Fingerprint of the files that a domain's pairs are made from; constant for procedural domains.

    Raises:
        PairsError: their location cannot be listed.
    """
    if domain == "charts" and config.charts.chartqa_root:
        split = f"{config.charts.chartqa_root.rstrip('/')}/{config.charts.chartqa_split}"
        tables = Storage(f"{split}/tables", config.charts.storage).fingerprint()
        try:
            return digest(tables, Storage(f"{split}/annotations", config.charts.storage).fingerprint())
        except NotThereError:
            return tables
    if domain == "photos":
        photos = config.photos
        files = Storage(photos.location, photos.storage).fingerprint() if photos.location else ""
        return digest(files, base_fingerprint(photos.instruction.model) if photos.instruction else "")
    if domain == "pictures":
        return Storage(config.pictures.location, config.pictures.storage).fingerprint() if config.pictures.location else digest()
    if domain == "imported" and config.imported is not None:
        places = (config.imported.location, config.imported.pictures)
        return digest(*(Storage(place, config.imported.storage).fingerprint() for place in places if place))
    return digest()


def of_recipe(config: SelfPlayConfig) -> str:
    """Fingerprint of base and files of all domains together.

    Raises:
        PairsError: a location of pairs cannot be listed.
    """
    domains = sorted(domain for domain, weight in config.pairs.mix.items() if weight > 0)
    return digest(of_base(config.policy), *(of_pairs(domain, config.pairs) for domain in domains))
