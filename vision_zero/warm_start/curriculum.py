"""Images and training examples of the warm start: rendered once into files, then accessed at random.

Example i of step s is a function of the seed and of (s, i) only, so an interrupted warm start resumes exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from vision_zero.atomic_dir import write_atomically
from vision_zero.config.warm_start import Phase, WarmStartConfig, shown_of
from vision_zero.config_base import Config, read_json
from vision_zero.data.images import decode
from vision_zero.data.source import PairSource
from vision_zero.data.table import PairTable
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.errors import PolicyError
from vision_zero.evaluation.suites.procedural import image_grid
from vision_zero.randomness import Seed, weighted
from vision_zero.warm_start.examples.charts import chart_question_example, look_up_example, values_example
from vision_zero.warm_start.examples.differences import difference_example
from vision_zero.warm_start.examples.example import Example
from vision_zero.warm_start.examples.game import check_example, clue_example, vote_example
from vision_zero.warm_start.examples.scenes import list_example, order_example, question_example

Facts = Mapping[str, Any]
ExampleMaker = Callable[[Facts, Facts, np.random.Generator, bool], Example]

EXAMPLE_MAKERS: Mapping[str, ExampleMaker] = {
    "list": lambda facts, other, rng, reasoned: list_example(facts, rng),
    "order": lambda facts, other, rng, reasoned: order_example(facts, rng),
    "question": lambda facts, other, rng, reasoned: question_example(facts, rng, reasoned=reasoned),
    "check": lambda facts, other, rng, reasoned: check_example(facts, other, rng, reasoned=reasoned),
    "clue": lambda facts, other, rng, reasoned: clue_example(facts, other, rng, reasoned=reasoned),
    "vote": lambda facts, other, rng, reasoned: vote_example(facts, other, rng, reasoned=reasoned),
    "chart list": lambda facts, other, rng, reasoned: values_example(facts, rng),
    "chart question": lambda facts, other, rng, reasoned: chart_question_example(facts, rng, reasoned=reasoned),
    "chart look-up": lambda facts, other, rng, reasoned: look_up_example(facts, rng),
    "difference": lambda facts, other, rng, reasoned: difference_example(facts, other, reasoned=reasoned),
}
"""Makes the examples of each topic from the facts of an image and of its edited copy; the last argument is the form of the
answer."""
WORDS = ("list", "order", "question", "check", "clue", "vote", "chart list", "chart question")
"""Topics that the tokenizer is trained on; nano's was made before there were examples of differences."""
BEGUN = "begun.json"
"""The file that says which settings a folder's files are made with."""
OF_IMAGES = {"seed", "scenes", "charts", "scene_pairs", "chart_pairs", "pairs_per_file"}
"""The settings that images depend on."""


@dataclass(frozen=True, slots=True)
class ImageExamples:
    """An image with its examples in one step."""

    image: Image.Image
    examples: tuple[Example, ...]


class _Begun(Config):
    settings: dict[str, Any]


def begin(folder: Path, settings: dict[str, Any]) -> None:
    """Record the settings that the files of a folder are made with, so that none made with others is kept.

    Raises:
        PolicyError: it was begun with others.
    """
    path = folder / BEGUN
    if path.is_file():
        before = read_json(_Begun, path, PolicyError).settings
        changed = sorted(name for name in settings if before.get(name) != settings[name])
        if changed:
            raise PolicyError(f"{folder} was begun with other settings ({', '.join(changed)}): set them back, or delete it")
    write_atomically(path, _Begun(settings=settings).model_dump_json(indent=1))


def generate_files(config: WarmStartConfig, folder: Path, tell: Callable[[str], None]) -> None:
    """Render all pairs into parquet files; existing files are kept.

    Raises:
        PolicyError: the folder was begun with other settings.
    """
    begin(folder, config.model_dump(mode="json", include=OF_IMAGES))
    seed = Seed(config.seed).child("lessons")
    for domain, source, total in (
        ("scenes", SceneSource(config.scenes), config.scene_pairs),
        ("charts", ChartSource(config.charts), config.chart_pairs),
    ):
        (folder / domain).mkdir(parents=True, exist_ok=True)
        for first in range(0, total, config.pairs_per_file):
            path = folder / domain / f"{first:07d}.parquet"
            if not path.exists():
                numbers = range(first, min(first + config.pairs_per_file, total))
                _write_file(path, source, seed.child(domain), numbers)
                tell(f"drew {domain} {numbers.stop} of {total}")


def _write_file(path: Path, source: PairSource, seed: Seed, numbers: range) -> None:
    table = PairTable.from_pairs(((number, source.sample(seed.child(number))) for number in numbers), "train")
    fresh = path.with_suffix(".new")
    table.write(fresh)
    fresh.rename(path)


class Curriculum:
    """Random access to training examples."""

    def __init__(self, config: WarmStartConfig, folder: Path) -> None:
        self.config = config
        self.seed = Seed(config.seed).child("school")
        self._scenes, self._charts = (_column_store(folder / domain) for domain in ("scenes", "charts"))

    def images_with_examples(self, step: int, number: int) -> ImageExamples:
        """Image ``number`` of optimiser step ``step``, with its examples."""
        rng = self.seed.child(step, number).generator()
        phase = self._phase(step)
        topics = {name: weight for name, weight in phase.topics.items() if weight > 0}
        topic = weighted(topics, rng)
        shown = shown_of(topic)
        own = {name: weight for name, weight in topics.items() if shown_of(name) == shown}
        row = self._row(shown == "chart", phase, rng)
        sides = ("original", "modified") if rng.random() < 0.5 else ("modified", "original")
        facts, other = (json.loads(row[f"{side}_facts"]) for side in sides)
        more = [weighted(own, rng) for _ in range(phase.examples_per_picture - 1)]
        examples = tuple(EXAMPLE_MAKERS[name](facts, other, rng, bool(rng.random() < phase.reasoned)) for name in (topic, *more))
        images = [decode(row[side]["bytes"], row["pair_id"]) for side in (sides if shown == "two scenes" else sides[:1])]
        return ImageExamples(image_grid(images) if len(images) > 1 else images[0], examples)

    def texts(self, count: int) -> Iterator[str]:
        """Prompts and answers of this many examples on all topics that there are images of, for the tokenizer."""
        topics = [name for name in WORDS if self._charts is not None or not name.startswith("chart")]
        everything = Phase(steps=1, topics=dict.fromkeys(topics, 1.0), scene_pairs=self.config.phases[0].scene_pairs)
        for number in range(count):
            rng = self.seed.child("texts", number).generator()
            topic = weighted(everything.topics, rng)
            row = self._row(topic.startswith("chart"), everything, rng)
            own, other = (json.loads(row[f"{side}_facts"]) for side in ("original", "modified"))
            example = EXAMPLE_MAKERS[topic](own, other, rng, bool(rng.random() < 0.5))
            yield example.prompt
            yield example.answer

    def _row(self, is_chart: bool, phase: Phase, rng: np.random.Generator) -> Facts:
        """A random pair in the range of the phase."""
        rows = self._charts if is_chart else self._scenes
        first, last = (0, rows.num_rows) if is_chart or phase.scene_pairs is None else phase.scene_pairs
        return rows.slice(int(rng.integers(first, last)), 1).to_pylist()[0]

    def _phase(self, step: int) -> Phase:
        done = 0
        for phase in self.config.phases:
            done += phase.steps
            if step < done:
                return phase
        return self.config.phases[-1]


def _column_store(folder: Path) -> pa.Table:
    """Images and facts of all files in a folder."""
    columns = ["pair_id", "original", "modified", "original_facts", "modified_facts"]
    files = sorted(folder.glob("*.parquet"))
    return pa.concat_tables([PairTable.read(path).rows.select(columns) for path in files]) if files else None
