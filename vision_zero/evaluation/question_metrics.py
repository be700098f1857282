"""Metrics outside the game: questions about held-out pictures, and object lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.scenes.object_lists import in_full, listed, overlap
from vision_zero.evaluation.questions import AskedPicture, is_right
from vision_zero.evaluation.vote_metrics import Values, habits
from vision_zero.evaluation.written_checks import is_habit
from vision_zero.policy.policy import Policy, user_message
from vision_zero.randomness import Seed

LIST = "List all objects."
"""The request for a list: the one that the embedded policy was taught."""


def question_metrics(
    policy: Policy, questions: Sequence[AskedPicture], config: EvaluationConfig, prefix: str | None, seed: Seed
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
        drawn = [
            _right(questions, [reply.text for reply in _sampled(policy).complete(messages, config.question_tokens, where)])
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


def _right(questions: Sequence[AskedPicture], replies: Sequence[str]) -> list[float]:
    return [float(is_right(asked.question, reply)) for asked, reply in zip(questions, replies, strict=True)]


def _sampled(policy: Policy) -> Policy:
    return replace(policy, greedy=False)
