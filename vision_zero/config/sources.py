"""Settings of all sources of pairs, and of the rules that hold whatever the source."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.imported import ImportedConfig
from vision_zero.config.pairs import ChartsConfig, QualityConfig, ScenesConfig
from vision_zero.config.photos import PhotosConfig
from vision_zero.config.pictures import PicturesConfig


class SourcesConfig(Config):
    """What the sources make, and what makes it good enough."""

    scenes: ScenesConfig = ScenesConfig()
    """CLEVR-style scenes."""
    charts: ChartsConfig = ChartsConfig()
    """Charts."""
    photos: PhotosConfig = PhotosConfig()
    """Edited photos."""
    pictures: PicturesConfig = PicturesConfig()
    """Single pictures, beside which the spy sees an empty one."""
    imported: ImportedConfig | None = None
    """Pairs that somebody else made; needed where they are asked for."""
    held_out_share: float = Field(0.2, gt=0.0, lt=1.0)
    """Share of the photos, pictures, ChartQA tables or imported pairs that only held-out pairs are made of: training never sees
    them."""
    quality: QualityConfig = QualityConfig()
    """What makes a pair good enough."""
