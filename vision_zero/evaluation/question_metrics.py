"""Metrics outside the game: questions about held-out scenes (colour, shape, count, position) and compact charts, and object
lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.questions import is_value_right
from vision_zero.domains.domain import Ask, Question
from vision_zero.domains.registry import DOMAINS
from vision_zero.domains.scenes.object_lists import in_full, listed, overlap
from vision_zero.domains.scenes.statements import NUMBERS
from vision_zero.evaluation.vote_metrics import Values, habits
from vision_zero.evaluation.written_checks import is_habit
from vision_zero.game.parsing import one_line, split_reply
from vision_zero.policy.chats import user_message
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed

LIST = "List all objects."
"""The request for a list: the one that the embedded policy was taught."""
_PASSES = 60


def question_metrics(
    policy: Policy, questions: Sequence[AskedImage], config: EvaluationConfig, prefix: str | None, seed: Seed
) -> Values:
    """By question: right answers, greedy, as ``questions/all`` and by family; ``answers/reasoned`` and ``answers/words``.

    Where the settings ask for samples, also ``pass@<n>/questions``: is any of n sampled answers right?
    """
    if not questions:
        return {}
    messages = [user_message(asked.question.text, asked.image) for asked in questions]
    replies = [reply.text for reply in replace(policy, greedy=True).complete(messages, config.question_tokens, seed)]
    right = _right(questions, replies)
    values: Values = {"questions/all": right}
    for family in dict.fromkeys(asked.question.family for asked in questions):
        values[f"questions/{family}"] = [
            value for asked, value in zip(questions, right, strict=True) if asked.question.family == family
        ]
    values |= {f"answers/{name}": shares for name, shares in habits([[reply] for reply in replies], prefix).items()}
    if config.samples:
        sampler = replace(policy, greedy=False)
        drawn = [
            _right(questions, [reply.text for reply in sampler.complete(messages, config.question_tokens, where)])
            for where in (seed.child("sample", number) for number in range(config.samples))
        ]
        values[f"pass@{config.samples}/questions"] = [max(tries) for tries in zip(*drawn, strict=True)]
    return values


def list_metrics(policy: Policy, scenes: Sequence[ImagePair], max_tokens: int, seed: Seed) -> Values:
    """``lists/objects right``: by scene, objects listed with all attributes right over what is there or was listed, the larger.

    Without units where most replies list nothing: a policy that was not taught to answer in such lists.
    """
    messages = [user_message(LIST, pair.original) for pair in scenes]
    replies = [reply.text for reply in replace(policy, greedy=True).complete(messages, max_tokens, seed)]
    said = [listed(reply) for reply in replies]
    if not is_habit(bool(words) for words in said):
        return {"lists/objects right": []}
    there = [in_full(pair.original_facts) for pair in scenes]
    return {"lists/objects right": [overlap(objects, words) for objects, words in zip(there, said, strict=True)]}


def _right(questions: Sequence[AskedImage], replies: Sequence[str]) -> list[float]:
    return [float(is_right(asked.question, reply)) for asked, reply in zip(questions, replies, strict=True)]


@dataclass(frozen=True, slots=True)
class AskedImage:
    """A question with the image that it is about."""

    question: Question
    image: Image.Image


def domain_questions(pairs: Sequence[ImagePair], per_family: int, seed: Seed) -> list[AskedImage]:
    """That many questions of each family that the pairs' domains have, spread over the originals; the same seed asks the same."""
    asked: list[AskedImage] = []
    for domain in DOMAINS.values():
        own = [pair for pair in pairs if pair.domain == domain.name]
        asked += family_questions(domain.questions if own else {}, own, per_family, seed)
    return asked


def family_questions(families: Mapping[str, Ask], pairs: Sequence[ImagePair], per_family: int, seed: Seed) -> list[AskedImage]:
    """That many questions of each of these families, spread over the originals of these pairs."""
    return [asked for family, ask in families.items() for asked in _of_family(ask, pairs, per_family, seed.child(family))]


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


def _of_family(ask: Ask, pairs: Sequence[ImagePair], wanted: int, seed: Seed) -> list[AskedImage]:
    asked: list[AskedImage] = []
    for number in range(wanted * _PASSES):
        if len(asked) == wanted:
            break
        pair = pairs[number % len(pairs)]
        question = ask(pair.original_facts, seed.child(pair.pair_id, number // len(pairs)).generator())
        if question is not None:
            asked.append(AskedImage(question, pair.original))
    return asked
