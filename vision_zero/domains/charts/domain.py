"""Charts drawn with matplotlib, of made-up tables or of ChartQA's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vision_zero.domains.charts.config import FULL_SIZE, ChartsConfig
from vision_zero.domains.domain import Domain
from vision_zero.domains.order import Order
from vision_zero.domains.pair_rules import PairRule, log_is_true, same_elsewhere, shows_change
from vision_zero.domains.quality_thresholds import AreaBounds, QualityThresholds

if TYPE_CHECKING:
    from vision_zero.data.image_pair import ImagePair
    from vision_zero.data.source import PairSource
    from vision_zero.data.splits import SplitFilter


def _source(config: ChartsConfig, only: SplitFilter) -> PairSource:
    from vision_zero.domains.charts.chartqa_tables import ChartQaTableSource
    from vision_zero.domains.charts.source import ChartSource

    return ChartQaTableSource(config, only) if config.chartqa_root else ChartSource(config)


def _settings_for(order: Order) -> ChartsConfig:
    order.refuse_reading()
    drawing = order.drawing
    has_room = drawing["width"] >= FULL_SIZE[0] and drawing["height"] >= FULL_SIZE[1]
    # Real tables have no compact look: where they have no room, the settings say how much they need.
    return ChartsConfig(**drawing, style="full" if has_room or order.location else "compact", chartqa_root=order.location)


def _rules(quality: QualityThresholds) -> list[PairRule]:
    return [
        *shows_change("charts", quality),
        log_is_true("tables"),
        same_elsewhere(quality),
        PairRule("every text can be read", "text_fault"),
    ]


def _measure(pair: ImagePair, quality: QualityThresholds) -> dict[str, Any]:
    from vision_zero.domains.charts.checks import measure

    return measure(pair)


def _files(config: ChartsConfig) -> str:
    from vision_zero.data.remote_storage import NotThereError, Storage
    from vision_zero.fingerprints import digest

    if not config.chartqa_root:
        return ""
    split = f"{config.chartqa_root.rstrip('/')}/{config.chartqa_split}"
    tables = Storage(f"{split}/tables", config.storage).fingerprint()
    try:
        return digest(tables, Storage(f"{split}/annotations", config.storage).fingerprint())
    except NotThereError:
        return tables


def _installed(config: ChartsConfig) -> str:
    """A table whose characters no font had may be drawn once there is one."""
    from vision_zero.domains.charts.glyphs import installed_fonts_fingerprint

    return installed_fonts_fingerprint() if config.chartqa_root else ""


DOMAIN = Domain(
    name="charts",
    summary="Charts.",
    things="charts",
    step="draw_charts",
    config=ChartsConfig,
    source=_source,
    settings_for=_settings_for,
    rules=_rules,
    measure=_measure,
    bounds=AreaBounds(min_changed_area=0.0004, max_changed_area=0.8, max_similarity=1.0),
    edits=lambda config: config.edits,
    made_of=lambda facts: str(facts.get("source", "")),
    files=_files,
    installed=_installed,
    gallery=Order(
        "charts",
        size=(480, 360),
        seed=1,
        edits=("swap_values", "change_values", "relabel", "recolor", "reorder", "change_axis"),
    ),
    counts_unusable=False,  # ChartQA's tables were partly read by machine: those that are none are shown, and no fault
)
