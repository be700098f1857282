"""Fingerprints, by content, of the files that a recipe names by path or URL and that its results depend on."""

from __future__ import annotations

from vision_zero.config.policy import PolicyConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.domains.registry import domain_of
from vision_zero.fingerprints import digest
from vision_zero.policy.base_models import base_fingerprint


def of_base(config: PolicyConfig) -> str:
    """Fingerprint of the base of a policy."""
    return base_fingerprint(config.base, config.revision)


def of_pairs(domain: str, config: SourcesConfig) -> str:
    """Fingerprint of the files that a domain's pairs are made from; constant for procedural domains.

    Raises:
        PairsError: their location cannot be listed.
    """
    record = domain_of(domain)
    settings = getattr(config, domain)
    return (record.files(settings) if settings is not None else "") or digest()


def of_recipe(config: SelfPlayConfig) -> str:
    """Fingerprint of base and files of all domains together.

    Raises:
        PairsError: a location of pairs cannot be listed.
    """
    domains = sorted(domain for domain, weight in config.pairs.mix.items() if weight > 0)
    return digest(of_base(config.policy), *(of_pairs(domain, config.pairs) for domain in domains))
