"""The editor that a diffusion model is: it gets the photo and an instruction, and what it changed is measured.

Any diffusers pipeline that is called with ``image``, ``prompt``, ``num_inference_steps`` and ``generator`` will do. Such models
change every pixel a little; what they did not mean to change is taken back, so that the edit is local and its box is true.
"""

from __future__ import annotations

import importlib
from typing import Any, final

import numpy as np
from PIL import Image
from scipy import ndimage

from vision_zero.data.image_pair import Change
from vision_zero.data.images import Box, box_of
from vision_zero.domains.photos.config import InstructionConfig
from vision_zero.domains.photos.editor import EditedPhoto, PhotoEditor
from vision_zero.domains.photos.phrases import place_of
from vision_zero.domains.photos.pixels import Mask, grown
from vision_zero.errors import PairsError, one_line
from vision_zero.randomness import Seed

MEANT = 0.1
"""Difference (of 1, after blurring) from which a pixel counts as changed on purpose."""
BLUR, GROWTH, FEATHER = 0.006, 0.02, 0.012
"""Of the image's diagonal: blur before that comparison, growth of what differs, and the soft border that joins it."""
LEAST_PIECE = 0.001
"""Pieces below this share of the image are noise."""
SIDE_STEP = 16
"""Pipelines want sides that are multiples of this."""


@final
class InstructionEditor(PhotoEditor):
    """Edits as it is told.

    Args:
        config: the model and what it is told.
        pipeline: used in place of the configured model; for tests and for pipelines that are loaded already.

    Raises:
        PairsError: diffusers is not installed, or the model cannot be loaded.
    """

    def __init__(self, config: InstructionConfig, pipeline: Any = None) -> None:
        super().__init__()
        self.config = config
        self._pipeline = _load(config) if pipeline is None else pipeline

    def edit(self, photo: Image.Image, seed: Seed, insists: bool = False) -> EditedPhoto | None:
        rng = seed.generator()
        instruction = self.config.instructions[int(rng.integers(len(self.config.instructions)))]
        answer = self._asked(photo, instruction, seed)
        changed = _meant(photo, answer)
        share = float(changed.mean())
        if not self.config.min_changed_area <= share <= self.config.max_changed_area:
            few = share < self.config.min_changed_area
            self.drawn_again["the model changed too little" if few else "the model changed too much"] += 1
            return None
        image = _joined(photo, answer, changed)
        differs = (np.asarray(image) != np.asarray(photo)).any(axis=2)
        if not differs.any():
            self.drawn_again["the model changed too little"] += 1
            return None
        box: Box = box_of(differs)
        where = place_of(box, photo.size)
        change = Change("instruction", f"what is {where}", f"something else, as told: {instruction}", box)
        return EditedPhoto(image, (change,), (), ({"kind": "instruction", "instruction": instruction, "box": list(box)},))

    def _asked(self, photo: Image.Image, instruction: str, seed: Seed) -> Image.Image:
        """The model's answer at the photo's size."""
        width, height = (-(-side // SIDE_STEP) * SIDE_STEP for side in photo.size)
        result = self._pipeline(
            image=photo.resize((width, height), Image.Resampling.LANCZOS) if (width, height) != photo.size else photo,
            prompt=instruction,
            num_inference_steps=self.config.steps,
            generator=_generator(seed),
            **self.config.settings,
        )
        answer = result.images[0]
        if not isinstance(answer, Image.Image):
            raise PairsError(f"{self.config.model} answered with {type(answer).__name__}, not with an image")
        return answer.convert("RGB").resize(photo.size, Image.Resampling.LANCZOS)


def _load(config: InstructionConfig) -> Any:
    try:
        diffusers = importlib.import_module("diffusers")
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise PairsError(f"the editor {config.model} needs diffusers: pip install 'vision-zero[photos]'") from error
    device = config.device if config.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(config.model, torch_dtype=dtype).to(device)
    except (OSError, ValueError, RuntimeError) as error:
        raise PairsError(f"the editor {config.model} cannot be loaded: {one_line(error)}") from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _generator(seed: Seed) -> Any:
    torch = importlib.import_module("torch")
    # On the CPU, so that every device starts from the same noise.
    return torch.Generator("cpu").manual_seed(seed.child("diffusion").integer())


def _meant(photo: Image.Image, answer: Image.Image) -> Mask:
    """(height, width): where the model changed something on purpose, and a little around it."""
    diagonal = float(np.hypot(*photo.size))
    step = np.asarray(answer, dtype=np.float32) - np.asarray(photo, dtype=np.float32)
    sigma = BLUR * diagonal
    blurred = np.abs(ndimage.gaussian_filter(step, (sigma, sigma, 0))).max(axis=2) / 255
    pieces, count = ndimage.label(blurred > MEANT)
    areas = np.bincount(pieces.ravel(), minlength=count + 1)
    large = areas >= LEAST_PIECE * pieces.size
    large[0] = False
    kept: Mask = large[pieces]
    return grown(kept, GROWTH * diagonal) if kept.any() else kept


def _joined(photo: Image.Image, answer: Image.Image, changed: Mask) -> Image.Image:
    """The photo with the answer where it was changed; softly, and not a pixel beyond."""
    feather = max(1.0, FEATHER * float(np.hypot(*photo.size)))
    weights = np.clip(ndimage.distance_transform_edt(changed) / feather, 0, 1)[..., None]
    mixed = np.asarray(photo, dtype=np.float64) * (1 - weights) + np.asarray(answer, dtype=np.float64) * weights
    return Image.fromarray(np.rint(mixed).astype(np.uint8))
