"""Scene questions in CLEVR's families (Johnson et al., 2017): exist, count, compare, query, relate.

Answers are computed from the scene graph, and every question names its objects so that exactly one answer is right; yes and no
are equally frequent. Questions of the first four families of :mod:`vision_zero.domains.scenes.questions` use the wording of the
embedded policy's warm start; comparisons and attributes of related objects are new to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.config.suites import Look, SuiteConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.domain import Question
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.questions import ask, describe
from vision_zero.domains.scenes.scene import VALUES
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.domains.scenes.statements import NUMBERS, SIDE_WORDS, SIDES, Query, SceneFacts
from vision_zero.evaluation.suites.answer_matching import YES_NO, count_in, word_in
from vision_zero.evaluation.suites.procedural import ProceduralSuite, SuiteQuestion, as_asked, closed_verdict, held_out, in_turn
from vision_zero.randomness import one_of

NAME, VERSION = "scenes", 3
LOOKS: Mapping[Look, ScenesConfig] = {
    "full": ScenesConfig(),
    "compact": NANO_SCENES,
}
"""Compact is what the embedded policy was raised on."""
_TRIES = 60
"""Questions that are tried on one image."""

Ask = Callable[[SceneFacts, np.random.Generator], Question | None]


def open_suite(config: SuiteConfig) -> ProceduralSuite:
    """``config.items`` questions, of each family in turn; five are about one image."""
    root = held_out(NAME, VERSION).child(config.look)
    pose = in_turn(root, SceneSource(LOOKS[config.look]), tuple(FAMILIES), partial(_posed, config.look))
    return ProceduralSuite(config, VERSION, pose, __name__)


def read_answer(question: Question, reply: str) -> str | None:
    """What the reply answers, among the answers that its question can have; counts in digits."""
    if question.family == "count":
        return count_in(reply, question.text)
    return word_in(reply, question.text, _options(question))


def _posed(look: Look, family: str, pair: ImagePair, rng: np.random.Generator) -> SuiteQuestion | None:
    question = FAMILIES[family](pair.original_facts, rng)
    if question is None:
        return None
    answer = str(NUMBERS.index(question.answer)) if question.family == "count" else question.answer
    groups = {"family": (family,), "asked for": (question.family,)}
    return SuiteQuestion(
        prompt=as_asked(question.text, look),
        image=pair.original,
        judge=lambda reply: closed_verdict(read_answer(question, reply), answer, groups),
    )


def _options(question: Question) -> Sequence[str]:
    if question.family == "position":
        return ("left", "right") if question.answer in ("left", "right") else ("front", "behind")
    return VALUES.get(question.family, YES_NO)


def _exist(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    wanted = one_of(YES_NO, rng)
    return _answered(wanted, (ask("exist", facts, rng) for _ in range(_TRIES)))


def _compare(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    """Two numbers of things, or one attribute of two things."""
    wanted = one_of(YES_NO, rng)
    make = one_of((_compare_numbers, _compare_attributes), rng)
    return _answered(wanted, (make(facts, rng) for _ in range(_TRIES)))


def _answered(wanted: str, questions: Iterable[Question | None]) -> Question | None:
    return next((question for question in questions if question is not None and question.answer == wanted), None)


def _compare_numbers(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    one, two = (describe(one_of(facts["objects"], rng), rng, (1, 2)) for _ in range(2))
    if one == two:
        return None
    first, second = (len(query.matches(facts)) for query in (one, two))
    words, holds = one_of(
        (("more", first > second), ("fewer", first < second), ("as many", first == second)),
        rng,
    )
    than = "as" if words == "as many" else "than"
    text = f"Are there {words} {one.noun(plural=True)} {than} {two.noun(plural=True)}?"
    return Question("numbers", text, "yes" if holds else "no")


def _compare_attributes(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    key = one_of(list(VALUES), rng)
    first, second = (int(index) for index in rng.choice(len(facts["objects"]), size=2, replace=False))
    one, two = (_unique(facts, index, rng, but=key) for index in (first, second))
    if one is None or two is None:
        return None
    same = facts["objects"][first][key] == facts["objects"][second][key]
    return Question("attributes", f"Do the {one.noun()} and the {two.noun()} have the same {key}?", "yes" if same else "no")


def _relate(facts: SceneFacts, rng: np.random.Generator) -> Question | None:
    """On which side something stands, or an attribute of the one thing that stands on a side of another."""
    if rng.random() < 0.5:
        return ask("position", facts, rng)
    for _ in range(_TRIES):
        anchor, side, key = int(rng.integers(len(facts["objects"]))), one_of(SIDES, rng), one_of(list(VALUES), rng)
        named = _unique(facts, anchor, rng)
        standing = facts["relationships"][side][anchor]
        if named is None or not standing:
            continue
        item = facts["objects"][one_of(standing, rng)]
        query = describe(item, rng, (0, 1, 1), but=key)
        everywhere = query.matches(facts)
        # The relation must be needed, and it must single one thing out.
        if len(everywhere) > 1 and len(set(everywhere) & set(standing)) == 1:
            return Question(key, f"What {key} is the {query.noun()} {SIDE_WORDS[side]} the {named.noun()}?", item[key])
    return None


def _unique(facts: SceneFacts, index: int, rng: np.random.Generator, but: str = "") -> Query | None:
    query = describe(facts["objects"][index], rng, (1, 2, 3), but=but)
    return query if query != Query() and query.matches(facts) == [index] else None


FAMILIES: Mapping[str, Ask] = {
    "exist": _exist,
    "count": lambda facts, rng: ask("count", facts, rng),
    "compare": _compare,
    "query": lambda facts, rng: ask(one_of(("color", "shape", "size", "material"), rng), facts, rng),
    "relate": _relate,
}
