"""Settings of photo pairs: where the photos come from and how they are edited."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vision_zero.config.base import Config
from vision_zero.config.imported import StorageConfig

PhotoEdit = Literal["remove", "recolor", "move"]


class InstructionConfig(Config):
    """A diffusion model that edits a photo as it is told; needs the extra ``photos``."""

    model: str
    """Folder or hub id of a diffusers pipeline that takes a picture and an instruction (InstructPix2Pix, FLUX Kontext,
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
    """What the model is told; one is drawn for each pair, alike often."""
    steps: int = Field(28, ge=1, le=200)
    """Denoising steps."""
    settings: dict[str, float] = Field(default_factory=dict)
    """Further numbers for the pipeline's call, for example ``guidance_scale`` or ``image_guidance_scale``."""
    device: str = "auto"
    """``auto`` is the GPU where there is one."""
    min_changed_area: float = Field(0.01, gt=0, lt=1)
    """Least share of the picture that must differ: else the model did nothing."""
    max_changed_area: float = Field(0.4, gt=0, le=1)
    """Largest share that may differ: else it is another picture."""


class PhotosConfig(Config):
    """Photos, and edits of regions in them."""

    width: int = Field(320, ge=64, le=4096)
    """Width of a picture in pixels."""
    height: int = Field(240, ge=64, le=4096)
    """Height of a picture in pixels."""
    location: str | None = None
    """Folder or URL (s3://..., hf://datasets/<user>/<name>) of pictures, or of a data set in parquet, arrow, jsonl, json
    or csv files, or one such file; none: the public-domain photos that scikit-image and matplotlib bring along."""
    layout: Literal["auto", "files", "table"] = "auto"
    """Whether the location holds pictures or a data set; ``auto`` looks."""
    column: str = "image"
    """The data set's column of pictures."""
    split: str | None = "train"
    """The split that is read where files, folders or a column ``split`` name several; none: all. Held-out photos are taken from
    it, too (``held_out_share``)."""
    storage: StorageConfig = StorageConfig()
    """How files are read."""
    min_crop: float = Field(0.5, gt=0.0, le=1.0)
    """A crop has at least this share of the largest one's width; smaller crops are other pictures, but less sharp."""
    mirror: bool = True
    """Half the crops are mirrored."""
    edits: dict[PhotoEdit, Annotated[float, Field(ge=0.0)]] = Field({"remove": 1.0, "recolor": 1.0, "move": 0.25})
    """How often each kind of edit is asked for, relatively. A photo that suits it is sought; where none of the first few does,
    another kind takes its place, and so it does for a second edit of the same photo. Few things can be moved."""
    min_changes: int = Field(1, ge=1, le=4)
    """Fewest regions that are edited."""
    max_changes: int = Field(2, ge=1, le=4)
    """Most regions that are edited."""
    min_region: float = Field(0.01, ge=0.002, le=0.5)
    """Least share of the picture that an edited region has."""
    max_region: float = Field(0.2, ge=0.002, le=0.8)
    """Largest share of the picture that an edited region has."""
    min_visible: float = Field(0.006, ge=0.0, le=0.5)
    """Every edit changes at least this share of the picture's pixels visibly: by more than 24 of 255 in one channel."""
    min_plausible: float = Field(0.5, ge=0.0, le=1.0)
    """Least plausibility of an edit: the worst of its scores, from 0 to 1, for a whole thing, on one ground, without a seam,
    filled with detail. Edits below it are drawn again and counted; 0 takes every edit."""
    instruction: InstructionConfig | None = None
    """A model that edits instead of the kinds above."""

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> Self:
        if self.min_changes > self.max_changes:
            raise ValueError("min_changes must not be larger than max_changes")
        if self.min_region >= self.max_region:
            raise ValueError("min_region must be smaller than max_region")
        if not any(self.edits.values()):
            raise ValueError("edits must give at least one kind of edit a weight above 0")
        return self
