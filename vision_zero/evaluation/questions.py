"""Held-out questions about scenes (colour, shape, count, position) and compact charts, and their scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.questions import CHART_FAMILIES, ask_chart, is_value_right
from vision_zero.domains.scenes.questions import Family, Question, ask
from vision_zero.domains.scenes.statements import NUMBERS
from vision_zero.game.parsing import one_line, split_reply
from vision_zero.randomness import Seed

SCENE_FAMILIES: tuple[Family, ...] = ("color", "shape", "count", "position")
"""Families of the suite that runs after every round."""
_PASSES = 60


@dataclass(frozen=True, slots=True)
class AskedPicture:
    """A question with the picture that it is about."""

    question: Question
    image: Image.Image


def scene_questions(
    pairs: Sequence[ImagePair], per_family: int, seed: Seed, families: Sequence[Family] = SCENE_FAMILIES
) -> list[AskedPicture]:
    """That many questions of each family, spread over the originals of scene pairs; the same seed asks the same."""
    return [asked for family in families for asked in _of_family(family, pairs, per_family, seed.child(family))]


def chart_questions(pairs: Sequence[ImagePair], per_family: int, seed: Seed) -> list[AskedPicture]:
    """That many questions of each chart family, spread over the originals of compact chart pairs."""
    asked = []
    for family in CHART_FAMILIES:
        for number in range(per_family):
            pair = pairs[number % len(pairs)]
            rng = seed.child(family, pair.pair_id, number // len(pairs)).generator()
            asked.append(AskedPicture(ask_chart(family, pair.original_facts, rng), pair.original))
    return asked


def is_right(question: Question, reply: str) -> bool:
    """Is the last box (all of a reply without one) the answer, but for case, spaces, a final stop, and digits for a word?"""
    _, boxed = split_reply(reply)
    said = one_line(boxed if isinstance(boxed, str) else reply).lower().rstrip(" .").strip()
    if question.family == "value":
        return is_value_right(question.answer, said.replace(" ", "").rstrip("%"))
    if question.family == "count":
        words = {str(number): word for number, word in enumerate(NUMBERS)} | {"zero": "no", "none": "no"}
        said = words.get(said, said)
    return said == question.answer


def _of_family(family: Family, pairs: Sequence[ImagePair], wanted: int, seed: Seed) -> list[AskedPicture]:
    asked: list[AskedPicture] = []
    for number in range(wanted * _PASSES):
        if len(asked) == wanted:
            break
        pair = pairs[number % len(pairs)]
        question = ask(family, pair.original_facts, seed.child(pair.pair_id, number // len(pairs)).generator())
        if question is not None:
            asked.append(AskedPicture(question, pair.original))
    return asked
