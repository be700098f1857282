"""Held-out questions about scenes (colour, shape, count, position) and compact charts, and their scoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PIL import Image

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.questions import CHART_FAMILIES, ask_chart, is_value_right
from vision_zero.domains.domain import Ask, Question
from vision_zero.domains.registry import DOMAINS
from vision_zero.domains.scenes.questions import Family, ask
from vision_zero.domains.scenes.statements import NUMBERS
from vision_zero.game.parsing import one_line, split_reply
from vision_zero.randomness import Seed

_PASSES = 60


@dataclass(frozen=True, slots=True)
class AskedPicture:
    """A question with the picture that it is about."""

    question: Question
    image: Image.Image


def domain_questions(pairs: Sequence[ImagePair], per_family: int, seed: Seed) -> list[AskedPicture]:
    """That many questions of each family that the pairs' domains have, spread over the originals; the same seed asks the same."""
    asked: list[AskedPicture] = []
    for domain in DOMAINS.values():
        own = [pair for pair in pairs if pair.domain == domain.name]
        for family, ask_one in domain.questions.items() if own else ():
            asked += _of_family(ask_one, own, per_family, seed.child(family))
    return asked


def scene_questions(pairs: Sequence[ImagePair], per_family: int, seed: Seed, families: Sequence[Family]) -> list[AskedPicture]:
    """The same of scene pairs, of these families."""
    return [asked for name in families for asked in _of_family(partial(ask, name), pairs, per_family, seed.child(name))]


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


def _of_family(ask: Ask, pairs: Sequence[ImagePair], wanted: int, seed: Seed) -> list[AskedPicture]:
    asked: list[AskedPicture] = []
    for number in range(wanted * _PASSES):
        if len(asked) == wanted:
            break
        pair = pairs[number % len(pairs)]
        question = ask(pair.original_facts, seed.child(pair.pair_id, number // len(pairs)).generator())
        if question is not None:
            asked.append(AskedPicture(question, pair.original))
    return asked
