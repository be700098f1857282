"""Settings of photo pairs: the source of the photos, and how they are edited."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from vision_zero.config_base import Config, Weight
from vision_zero.data.storage_config import StorageConfig

PhotoEdit = Literal["remove", "recolor", "move"]


class InstructionConfig(Config):
    """A diffusion model that edits photos by instruction; needs the extra ``photos``."""

    model: str
    """Folder or hub id of a diffusers pipeline that takes an image and an instruction (InstructPix2Pix, FLUX Kontext,
    Qwen-Image-Edit and their like)."""
    instructions: tuple[str, ...] = Field(
        (
            "Change the colour of the most prominent object",
            "Remove one object",
            "Add a small red balloon",
            "Add a small dog",
            "Add a pair of sunglasses",
            "Replace one object by a different one",
            "Make one object of another material",
        ),
        min_length=1,
    )
    """Instructions; one is chosen uniformly at random for each pair."""
    steps: int = Field(28, ge=1, le=200)
    """Denoising steps."""
    settings: dict[str, float] = Field(default_factory=dict)
    """Further arguments of the pipeline, for example ``guidance_scale`` or ``image_guidance_scale``."""
    device: str = "auto"
    """``auto``: the GPU, if there is one."""
    min_changed_area: float = Field(0.01, gt=0, lt=1)
    """Smallest changed share of the image; below it the model changed nothing."""
    max_changed_area: float = Field(0.4, gt=0, le=1)
    """Largest changed share of the image; above it the result is another image."""


class PhotosConfig(Config):
    """Photos, and edits of regions in them."""

    width: int = Field(320, ge=64, le=4096)
    """Image width in pixels."""
    height: int = Field(240, ge=64, le=4096)
    """Image height in pixels."""
    location: str | None = Field(None, min_length=1)
    """Folder or URL (s3://..., hf://datasets/<user>/<name>) of images, or of a data set in parquet, arrow, jsonl, json
    or csv files, or one such file; null: the public-domain photos in scikit-image and matplotlib."""
    layout: Literal["auto", "files", "table"] = "auto"
    """Whether the location has image files or a data set; ``auto`` detects it."""
    column: str = "image"
    """The data set's image column."""
    split: str | None = "train"
    """The split to read, if files, folders or a column ``split`` name several; null: all. Held-out photos are taken from it, too
    (``held_out_share``)."""
    storage: StorageConfig = StorageConfig()
    """How files are read."""
    min_crop: float = Field(0.5, gt=0.0, le=1.0)
    """Smallest width of a random crop, as a share of the largest possible one; smaller crops vary more, but are less sharp."""
    mirror: bool = True
    """Mirror half of the crops."""
    edits: dict[PhotoEdit, Weight] = Field({"remove": 1.0, "recolor": 1.0, "move": 0.25})
    """Relative frequency of each kind of edit. If none of the first few photos allows the chosen kind, or the photo does not
    allow a second one, another kind is used. Few objects can be moved."""
    min_changes: int = Field(1, ge=1, le=4)
    """Fewest regions that are edited."""
    max_changes: int = Field(2, ge=1, le=4)
    """Most regions that are edited."""
    min_region: float = Field(0.006, ge=0.002, le=0.5)
    """Smallest share of the image that an edited region covers."""
    max_region: float = Field(0.2, ge=0.002, le=0.8)
    """Largest share of the image that an edited region covers."""
    min_visible: float = Field(0.005, ge=0.0, le=0.5)
    """Smallest share of pixels that an edit changes visibly: by more than 24 of 255 in one channel."""
    min_plausible: float = Field(0.5, ge=0.0, le=1.0)
    """Smallest plausibility of an edit, from 0 to 1: the lowest of its scores for a complete object, one background, no seam, and
    detail in the filled region. Edits below it are discarded, counted and tried again; 0 accepts every edit."""
    instruction: InstructionConfig | None = None
    """A diffusion model that edits instead of ``edits``."""

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> Self:
        if self.min_changes > self.max_changes:
            raise ValueError("min_changes must not be larger than max_changes")
        if self.min_region >= self.max_region:
            raise ValueError("min_region must be smaller than max_region")
        if not any(self.edits.values()):
            raise ValueError("edits must give at least one kind of edit a weight above 0")
        return self
