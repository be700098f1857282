"""Settings of the quality checks of pairs."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config_base import Config, Share


class AreaBounds(Config):
    """Bounds on the changes in one domain's pairs; null: as for all domains."""

    min_changed_area: Share | None = None
    """Smallest share of pixels that differ visibly."""
    max_changed_area: Share | None = None
    """Largest share of pixels that differ visibly."""
    max_similarity: float | None = Field(None, ge=-1.0, le=1.0)
    """Largest structural similarity (SSIM) of the two images."""


class QualityThresholds(Config):
    """Quality checks of pairs; a pair that fails one is quarantined with the reason."""

    min_changed_area: Share = 0.004
    """Smallest share of pixels that differ visibly."""
    max_changed_area: Share = 0.5
    """Largest share of pixels that differ visibly; above it the images are unrelated."""
    pixel_threshold: int = Field(24, ge=0, le=255)
    """A pixel differs visibly if one of its channels differs by more than this (of 255)."""
    min_similarity: float = Field(0.3, ge=-1.0, le=1.0)
    """Smallest structural similarity (SSIM) of the two images."""
    max_similarity: float = Field(0.999, ge=-1.0, le=1.0)
    """Largest structural similarity (SSIM) of the two images."""
    min_changes: int = Field(1, ge=0)
    """Fewest entries of the change log."""
    max_changes: int = Field(8, ge=0)
    """Most entries of the change log."""
    by_domain: dict[str, AreaBounds] = Field({})
    """Overrides for some domains."""
    min_solid_area: Share = 0.002
    """Imported pairs: smallest share of the image that differs by more than noise, to reject two renderings of one scene."""
    max_moved_share: Share = 0.4
    """Imported pairs: largest share of textured regions that are only displaced; above it the camera moved."""
    max_unlogged_area: Share = 0.001
    """Largest share of pixels that differ visibly outside the logged regions (not checked for scenes, whose shadows reach
    far)."""
    duplicate_distance: int = Field(4, ge=0, le=256)
    """Images whose 256-bit perceptual hashes differ in at most this many bits are duplicates."""
    min_edit_share: Share = 0.1
    """Smallest frequency of each kind of edit, as a share of the frequency that its weight asks for."""
    probe_pairs: int = Field(150, ge=0)
    """Pairs of each domain for the artifact probe: a small cross-validated classifier of single images as original or modified.
    If it succeeds, the spy could know its role from artifacts of the edit. 0: no probe; below 40 pairs none is trained."""
    max_probe_accuracy: Share = 0.6
    """Largest accuracy of the probe (chance is 0.5); only a significant excess counts."""
    specimens: int = Field(3, ge=0, le=20)
    """Pairs of each domain shown in the verdict: this many of those with the least visible change, and of the quarantined
    ones."""
    max_quarantined: Share = 0.1
    """A larger share of quarantined pairs fails the run, since the source is probably broken."""

    def bounds_of(self, domain: str) -> tuple[float, float, float]:
        """A domain's least and largest changed area, and its largest similarity."""
        own = self.by_domain.get(domain, AreaBounds())
        return (
            self.min_changed_area if own.min_changed_area is None else own.min_changed_area,
            self.max_changed_area if own.max_changed_area is None else own.max_changed_area,
            self.max_similarity if own.max_similarity is None else own.max_similarity,
        )
