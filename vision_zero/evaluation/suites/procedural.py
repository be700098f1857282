"""What all procedural suites have in common: items made from held-out seeds, one by one, the same on every machine.

A suite is a function from an item's number to a posed question. Its roots of randomness lie in
:data:`vision_zero.randomness.HELD_OUT_SEEDS`, which the seed of a run or of a warm start cannot be: what is asked here was never
trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import final

import numpy as np
from PIL import Image

from vision_zero.config.suites import Look, SuiteConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.source import PairSource
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.chartqa import SUFFIX
from vision_zero.evaluation.benchmarks.extraction.reply import NOT_ANSWERED
from vision_zero.evaluation.suite import Extractor, Item, Suite, Verdict
from vision_zero.fingerprints import digest
from vision_zero.randomness import HELD_OUT_SEEDS, Seed
from vision_zero.source_closure import code_fingerprint

GAP = 8
"""Pixels between two images of a grid."""
TRIES = 60
"""Images that are tried for one question."""
KEPT = 128
"""Posed questions that are kept, so that asking, judging and showing an item make its image once."""


@dataclass(frozen=True, slots=True)
class SuiteQuestion:
    """A question about an image, and how a reply to it is judged.

    Attributes:
        judge: never raises, whatever the reply.
    """

    prompt: str
    image: Image.Image
    judge: Callable[[str], Verdict]


@final
class ProceduralSuite(Suite):
    """``config.items`` items of a suite; a larger number begins with the same items.

    Records and scores carry the name of the configuration with its look: questions about other images are another suite.

    Args:
        version: of its items and rules; raised whenever one of them changes, since scores of two versions are not comparable.
        pose: the question of a number.
        module: where the suite is; its items are told from others by the code that makes them.
    """

    def __init__(self, config: SuiteConfig, version: int, pose: Callable[[int], SuiteQuestion], module: str) -> None:
        self.name = config.score_name
        self.version = f"{version}"
        self._module = module
        self._count, self._pose = config.items, lru_cache(maxsize=KEPT)(pose)

    def __len__(self) -> int:
        return self._count

    def key(self, number: int) -> str:
        return f"{number:05d}"

    def prompt(self, number: int) -> str:
        return self._pose(number).prompt

    def item(self, number: int) -> Item:
        posed = self._pose(number)
        return Item(self.key(number), posed.prompt, posed.image)

    def digest(self, number: int) -> str:
        return digest(self.name, self._code, self.key(number))

    @cached_property
    def _code(self) -> str:
        return code_fingerprint([self._module])

    def verdict(self, number: int, reply: str, extractor: Extractor | None = None) -> Verdict:
        return self._pose(number).judge(reply)


def in_turn(
    root: Seed,
    source: PairSource,
    families: Sequence[str],
    ask: Callable[[str, ImagePair, np.random.Generator], SuiteQuestion | None],
) -> Callable[[int], SuiteQuestion]:
    """Questions of each family in turn, one of each about one image.

    Args:
        root: of the images and the questions about them.
        ask: a question of a family about an image; None where it has none, then another image takes its place.

    Returns:
        The question of a number; it raises EvaluationError where none of ``TRIES`` images has one.
    """

    @lru_cache(maxsize=8)
    def drawn(place: Seed) -> ImagePair:
        return source.sample(place)

    def pose(number: int) -> SuiteQuestion:
        image, turn = divmod(number, len(families))
        family = families[turn]
        for attempt in range(TRIES):
            place = root.child(image, attempt)
            posed = ask(family, drawn(place), place.child(family).generator())
            if posed is not None:
                return posed
        raise EvaluationError(f"no {family} question fits any of {TRIES} {source.domain}")

    return pose


def as_asked(question: str, look: Look) -> str:
    """A question as it is put: in the full look with ChartQA's request for a short answer."""
    return question + (SUFFIX if look == "full" else "")


def held_out(suite: str, version: int) -> Seed:
    """The root of a suite's randomness."""
    return Seed(HELD_OUT_SEEDS[version]).child("suite", suite)


def closed_verdict(found: str | None, answer: str, groups: Mapping[str, tuple[str, ...]]) -> Verdict:
    """The verdict on an extraction that must be the one answer."""
    return Verdict(
        extraction=NOT_ANSWERED if found is None else found,
        prediction=found,
        answers=(answer,),
        is_right=found == answer,
        is_answered=found is not None,
        groups=groups,
    )


def image_grid(images: Sequence[Image.Image]) -> Image.Image:
    """One image for models that take a single one: images of one size in rows of two, with a white gap between them."""
    width, height = images[0].size
    rows = -(-len(images) // 2)
    grid = Image.new("RGB", (2 * width + GAP, rows * height + (rows - 1) * GAP), "white")
    for place, image in enumerate(images):
        row, column = divmod(place, 2)
        grid.paste(image, (column * (width + GAP), row * (height + GAP)))
    return grid
