"""Odd one out: four pictures, three of them the same; which one differs? Scenes and charts in turn."""

from __future__ import annotations

from collections.abc import Mapping

from vision_zero.config.suites import Look, SuiteConfig
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.evaluation.benchmarks.chartqa import SUFFIX
from vision_zero.evaluation.suites import charts, scenes
from vision_zero.evaluation.suites.answer_matching import word_in
from vision_zero.evaluation.suites.procedural import ProceduralSuite, SuiteQuestion, closed_verdict, held_out, image_grid, name_of

NAME, VERSION = "odd_one_out", 3
PLACES = ("top left", "top right", "bottom left", "bottom right")
QUESTION = "Three of these four pictures are the same. Which one is different: top left, top right, bottom left or bottom right?"
LOOKS: Mapping[Look, tuple[ScenesConfig, ChartsConfig]] = {
    "full": (scenes.LOOKS["full"], charts.LOOKS["full"]),
    "compact": (scenes.LOOKS["compact"], charts.LOOKS["compact"]),
}


def open_suite(config: SuiteConfig) -> ProceduralSuite:
    """``config.items`` sets of four pictures."""
    scene_config, chart_config = LOOKS[config.look]
    sources = (SceneSource(scene_config), ChartSource(chart_config))
    root = held_out(NAME, VERSION)

    def pose(number: int) -> SuiteQuestion:
        place = root.child(config.look, number)
        pair = sources[number % len(sources)].sample(place)
        odd = int(place.child("odd").generator().integers(len(PLACES)))
        pictures = [pair.modified if corner == odd else pair.original for corner in range(len(PLACES))]
        groups = {"pictures": (pair.domain,), "place": (PLACES[odd],)}
        return SuiteQuestion(
            prompt=QUESTION + (SUFFIX if config.look == "full" else ""),
            image=image_grid(pictures, columns=2),
            judge=lambda reply: closed_verdict(word_in(reply, "Which one is different?", PLACES), PLACES[odd], groups),
        )

    return ProceduralSuite(name_of(NAME, config.look), VERSION, config.items, pose, __name__)
