"""All domains of pairs: a line each. The configuration, the steps and the command line are made from this."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vision_zero.domains.domain import Domain
from vision_zero.errors import PairsError

if TYPE_CHECKING:
    from vision_zero.data.image_pair import ImagePair

_RECORDS = (
    "vision_zero.domains.scenes.domain",
    "vision_zero.domains.charts.domain",
    "vision_zero.domains.photos.domain",
    "vision_zero.domains.pictures.domain",
    "vision_zero.domains.imported.domain",
)
DOMAINS: dict[str, Domain[Any]] = {record.name: record for record in (import_module(name).DOMAIN for name in _RECORDS)}
"""The record of each domain by its name; the first is what is drawn where nothing else is asked for."""
FIRST = next(iter(DOMAINS))


def domain_of(name: str) -> Domain[Any]:
    """The record of that domain.

    Raises:
        PairsError: there is no such domain.
    """
    if name not in DOMAINS:
        raise PairsError(f"{name} is no domain of pairs: {', '.join(DOMAINS)} are")
    return DOMAINS[name]


def base_of(pair: ImagePair) -> str:
    """What several pairs may be made of: a photo, an image, a table, an imported pair; empty for what is made up each time."""
    return domain_of(pair.domain).made_of(pair.original_facts)


def has_scene_graph(pair: ImagePair) -> bool:
    """Can what is said of its images be checked against the scenes that they show?"""
    return domain_of(pair.domain).has_scene_graph
