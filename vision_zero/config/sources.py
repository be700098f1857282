"""Settings of all sources of pairs, and of validation."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.imported import ImportedConfig
from vision_zero.config.pairs import ChartsConfig, QualityConfig, ScenesConfig
from vision_zero.config.photos import PhotosConfig
from vision_zero.config.pictures import PicturesConfig


class SourcesConfig(Config):
    """Sources of pairs, the held-out share, and quality checks."""

    scenes: ScenesConfig = ScenesConfig()
    """CLEVR-style scenes."""
    charts: ChartsConfig = ChartsConfig()
    """Charts."""
    photos: PhotosConfig = PhotosConfig()
    """Edited photos."""
    pictures: PicturesConfig = PicturesConfig()
    """Single images; the spy sees a blank one."""
    imported: ImportedConfig | None = None
    """Imported pairs; required if the mix or ``domain`` uses them."""
    held_out_share: float = Field(0.2, gt=0.0, lt=1.0)
    """Share of photos, pictures, ChartQA data files or imported pairs that only held-out pairs are made of; training never sees
    them."""
    quality: QualityConfig = QualityConfig()
    """Quality checks."""
