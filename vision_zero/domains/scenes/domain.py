"""CLEVR-style scenes, rendered here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from vision_zero.domains.domain import Domain
from vision_zero.domains.order import Order
from vision_zero.domains.pair_rules import log_fault, log_is_true, shows_change
from vision_zero.domains.quality_thresholds import AreaBounds, QualityThresholds
from vision_zero.domains.scenes.config import SMALL_SCENES, ScenesConfig
from vision_zero.errors import PairsError

if TYPE_CHECKING:
    import numpy as np

    from vision_zero.data.image_pair import ImagePair
    from vision_zero.data.source import PairSource
    from vision_zero.data.splits import SplitFilter
    from vision_zero.domains.domain import Question
    from vision_zero.domains.scenes.questions import Family

_SMALL = 160
"""Below this side length in pixels the camera is closer."""


def _source(config: ScenesConfig, only: SplitFilter) -> PairSource:
    from vision_zero.domains.scenes.source import SceneSource

    return SceneSource(config)


def _settings_for(order: Order) -> ScenesConfig:
    order.refuse_reading()
    if order.location is not None:
        raise PairsError("scenes are procedural: leave out --from, or render given scenes with --scene")
    drawing = order.drawing
    usual = SMALL_SCENES if min(drawing["width"], drawing["height"]) < _SMALL else ScenesConfig()
    return ScenesConfig(**{**usual.model_dump(exclude_unset=True), **drawing})


def _measure(pair: ImagePair, quality: QualityThresholds) -> dict[str, Any]:
    from vision_zero.domains.scenes.source import log_against_scenes

    return {"log_fault": log_fault(log_against_scenes, pair)}


def _ask(family: Family, facts: Mapping[str, Any], rng: np.random.Generator) -> Question | None:
    from vision_zero.domains.scenes.questions import ask

    return ask(family, facts, rng)


_ASKED: tuple[Family, ...] = ("color", "shape", "count", "position")
DOMAIN = Domain(
    name="scenes",
    summary="CLEVR-style scenes.",
    things="scenes",
    step="render_scenes",
    config=ScenesConfig,
    source=_source,
    settings_for=_settings_for,
    # Shadows and reflections of what was edited reach far beyond the boxes of the objects.
    rules=lambda quality: [*shows_change("scenes", quality), log_is_true("scenes")],
    measure=_measure,
    bounds=AreaBounds(max_similarity=1.0),
    edits=lambda config: config.edits,
    questions={family: partial(_ask, family) for family in _ASKED},
    gallery=Order(
        "scenes",
        seed=3,
        edits=("recolor_reshape", "recolor", "reshape", "rematerial", "move", "add", "remove", "resize"),
    ),
    has_scene_graph=True,
)
