"""Odd one out: four images, three of them the same; which one differs? Scenes and charts in turn."""

from __future__ import annotations

from vision_zero.config.suites import SuiteConfig
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.evaluation.suites import charts, scenes
from vision_zero.evaluation.suites.answer_matching import word_in
from vision_zero.evaluation.suites.procedural import (
    ProceduralSuite,
    SuiteQuestion,
    as_asked,
    closed_verdict,
    held_out,
    image_grid,
)

NAME, VERSION = "odd_one_out", 3
PLACES = ("top left", "top right", "bottom left", "bottom right")
QUESTION = "Three of these four pictures are the same. Which one is different: top left, top right, bottom left or bottom right?"


def open_suite(config: SuiteConfig) -> ProceduralSuite:
    """``config.items`` sets of four images."""
    sources = (SceneSource(scenes.LOOKS[config.look]), ChartSource(charts.LOOKS[config.look]))
    root = held_out(NAME, VERSION)

    def pose(number: int) -> SuiteQuestion:
        place = root.child(config.look, number)
        pair = sources[number % len(sources)].sample(place)
        odd = int(place.child("odd").generator().integers(len(PLACES)))
        images = [pair.modified if corner == odd else pair.original for corner in range(len(PLACES))]
        groups = {"pictures": (pair.domain,), "place": (PLACES[odd],)}
        return SuiteQuestion(
            prompt=as_asked(QUESTION, config.look),
            image=image_grid(images),
            judge=lambda reply: closed_verdict(word_in(reply, "Which one is different?", PLACES), PLACES[odd], groups),
        )

    return ProceduralSuite(config, VERSION, pose, __name__)
