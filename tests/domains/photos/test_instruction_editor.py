"""The editor that a diffusion model is, with a stand-in for the model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.data.odd_images import encoded, scenery
from vision_zero.domains.photos.config import InstructionConfig, PhotosConfig
from vision_zero.domains.photos.instruction_editor import InstructionEditor
from vision_zero.domains.photos.source import PhotoSource
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed

CONFIG = InstructionConfig(model="some/model", instructions=("Add a red ball",), steps=7, settings={"guidance_scale": 2.5})


class Answer:
    def __init__(self, *images: Any) -> None:
        self.images = list(images)


class StandIn:
    """Draws a red ball, changes every other pixel a little as such models do, and answers at a size of its own."""

    def __init__(self, size: tuple[int, int] | None = None, ball: float = 0.2) -> None:
        self.calls: list[dict[str, Any]] = []
        self.size, self.ball = size, ball

    def __call__(self, **call: Any) -> Answer:
        self.calls.append(call)
        image: Image.Image = call["image"].copy()
        width, height = image.size
        side = self.ball * height
        ImageDraw.Draw(image).ellipse((0.6 * width, 0.2 * height, 0.6 * width + side, 0.2 * height + side), fill=(230, 20, 20))
        pixels = np.asarray(image).astype(int) + np.random.default_rng(0).integers(-6, 7, (height, width, 3))
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        return Answer(image if self.size is None else image.resize(self.size))


def test_the_model_gets_the_image_and_the_instruction() -> None:
    model = StandIn()
    edited = InstructionEditor(CONFIG, model).edit(scenery(), Seed(1))
    call = model.calls[0]
    assert call["prompt"] == "Add a red ball"
    assert call["image"].size == (160, 128), "sides are multiples of 16"
    assert call["num_inference_steps"] == 7
    assert call["guidance_scale"] == 2.5
    assert call["generator"].initial_seed() == Seed(1).child("diffusion").integer()
    assert edited is not None
    assert edited.changes[0].after == "something else, as told: Add a red ball"
    assert edited.edits[0]["instruction"] == "Add a red ball"


@pytest.mark.parametrize("size", [None, (1024, 1024), (64, 48)])
def test_answers_of_any_size_become_local_edits(size: tuple[int, int] | None) -> None:
    photo = scenery()
    edited = InstructionEditor(CONFIG, StandIn(size)).edit(photo, Seed(1))
    assert edited is not None
    assert edited.image.size == photo.size
    before, after = np.asarray(photo), np.asarray(edited.image)
    left, top, right, bottom = edited.changes[0].box
    outside = np.ones(before.shape[:2], dtype=bool)
    outside[top:bottom, left:right] = False
    assert np.array_equal(before[outside], after[outside])
    assert 85 <= left < 100 < right <= 135
    assert np.abs(after[34, 108].astype(int) - (230, 20, 20)).max() <= 25


def test_models_that_did_nothing_or_too_much_are_tried_again() -> None:
    idle = InstructionEditor(CONFIG, StandIn(ball=0.0))
    assert idle.edit(scenery(), Seed(1)) is None
    assert idle.drawn_again == {"the model changed too little": 1}
    busy = InstructionEditor(CONFIG.model_copy(update={"max_changed_area": 0.02}), StandIn())
    assert busy.edit(scenery(), Seed(1)) is None
    assert busy.drawn_again == {"the model changed too much": 1}


def test_answers_that_are_no_images_are_errors() -> None:
    with pytest.raises(PairsError, match="some/model answered with ndarray"):
        InstructionEditor(CONFIG, lambda **_: Answer(np.zeros((4, 4, 3)))).edit(scenery(), Seed(1))


def test_the_source_uses_the_editor_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(scenery(320, 240)))
    config = PhotosConfig(location=str(tmp_path), width=160, height=120)
    pair = PhotoSource(config, InstructionEditor(CONFIG, StandIn())).sample(Seed(2))
    assert [change.kind for change in pair.changes] == ["instruction"]
    assert pair.modified.tobytes() != pair.original.tobytes()


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(PairsError, match=r"needs diffusers: pip install 'vision-zero\[photos\]'") as raised:
        PhotoSource(PhotosConfig(instruction=CONFIG))
    assert "\n" not in str(raised.value)


def test_a_model_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipelines:
        class DiffusionPipeline:
            @staticmethod
            def from_pretrained(*_: Any, **__: Any) -> None:
                raise OSError("some/model is not a local folder\nand is not a valid model identifier")

    monkeypatch.setitem(sys.modules, "diffusers", Pipelines())
    with pytest.raises(PairsError, match="the editor some/model cannot be loaded: some/model is not") as raised:
        InstructionEditor(CONFIG)
    assert "\n" not in str(raised.value)
