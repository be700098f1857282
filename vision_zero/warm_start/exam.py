"""The held-out evaluation of the embedded policy: object lists, clues, verdicts on statements, questions and votes.

Questions and votes are measured in three ways: greedy decoding, sampling (at the temperature of
:data:`vision_zero.config.nano_defaults.NANO_SAMPLING`), and greedy decoding with each reply forced to begin with the
reasoning prefix (*made to reason*), which shows skill that the policy has but rarely uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.config.nano_defaults import NANO_GAME, NANO_REASONING
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.questions import CHART_FAMILIES, ask_chart
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.scenes.object_lists import in_full, listed, matched
from vision_zero.domains.scenes.questions import FAMILIES, ask
from vision_zero.domains.scenes.scene import VALUES
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.evaluation.clue_metrics import clue_metrics
from vision_zero.evaluation.estimates import estimate
from vision_zero.evaluation.head_to_head import games_of, play_head_to_head
from vision_zero.evaluation.metric_names import is_share
from vision_zero.evaluation.question_metrics import LIST, AskedImage, family_questions, is_right
from vision_zero.evaluation.vote_metrics import GREEDY, SAMPLED, vote_metrics
from vision_zero.evaluation.written_checks import is_reasoned
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.policy.chats import user_message
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed
from vision_zero.warm_start.exam_scores import Exam
from vision_zero.warm_start.examples.scenes import from_left

LONGEST_LIST, LONGEST_ANSWER = 64, 96
AS_IT_ANSWERS, REASONED = "greedy", "made to reason"

Outcomes = dict[str, list[float]]


def examine(policy: Policy, config: WarmStartConfig) -> Exam:
    """Scores by subject and decoding: ``list/color``, ``question/count, greedy``, ``vote/forced, made to reason``, …"""
    seed = Seed(config.seed).child("exam")
    to_list = max(config.exam_pairs, config.exam_lists)
    drawn = [SceneSource(config.scenes).sample(seed.child("scenes", number)) for number in range(to_list)]
    scenes = drawn[: config.exam_pairs]
    charts = [ChartSource(config.charts).sample(seed.child("charts", number)) for number in range(config.exam_pairs)]
    of_scenes = family_questions({name: partial(ask, name) for name in FAMILIES}, scenes, config.exam_questions, seed)
    of_charts = family_questions({name: partial(ask_chart, name) for name in CHART_FAMILIES}, charts, config.exam_questions, seed)
    scores = {
        **_lists(policy, drawn[: config.exam_lists], seed),
        **_questions("question", policy, of_scenes, seed),
        **_questions("chart", policy, of_charts, seed),
        **_games(policy, scenes, seed),
    }
    bootstrap = EvaluationConfig()
    return Exam(
        scores={
            name: estimate(values, bootstrap, seed.child("bootstrap", name)) for name, values in sorted(scores.items()) if values
        }
    )


def _lists(policy: Policy, pairs: Sequence[ImagePair], seed: Seed) -> Outcomes:
    messages = [user_message(LIST, pair.original) for pair in pairs]
    replies = replace(policy, greedy=True).complete(messages, LONGEST_LIST, seed.child("list"))
    scores: Outcomes = {f"list/{key}": [] for key in VALUES}
    for pair, reply in zip(pairs, replies, strict=True):
        objects = in_full({"objects": from_left(pair.original_facts)})
        for item, words in zip(objects, matched(objects, listed(reply.text)), strict=True):
            for key, word, found in zip(VALUES, item, words, strict=True):
                scores[f"list/{key}"].append(float(word == found))
    return scores


def _manners(policy: Policy) -> Mapping[str, Policy]:
    greedy = replace(policy, greedy=True)
    return {AS_IT_ANSWERS: greedy, "sampled": policy, REASONED: replace(greedy, reply_prefix=NANO_REASONING)}


def _questions(subject: str, policy: Policy, asked: Sequence[AskedImage], seed: Seed) -> Outcomes:
    messages = [user_message(entry.question.text, entry.image) for entry in asked]
    scores: Outcomes = {}
    for manner, who in _manners(policy).items():
        for entry, reply in zip(asked, who.complete(messages, LONGEST_ANSWER, seed.child(subject)), strict=True):
            right = float(is_right(entry.question, reply.text))
            scores.setdefault(f"{subject}/{entry.question.family}, {manner}", []).append(right)
            scores.setdefault(f"{subject}/all, {manner}", []).append(right)
            if manner != REASONED:
                reasoned = float(is_reasoned(reply.text, NANO_REASONING))
                scores.setdefault(f"{subject}/reasoned, {manner}", []).append(reasoned)
    return scores


def _games(policy: Policy, pairs: Sequence[ImagePair], seed: Seed) -> Outcomes:
    """Sampled clues, and votes on them with each kind of decoding."""
    game = WhoIsTheSpy(NANO_GAME)
    states = play_head_to_head(game, pairs, policy, policy, seed.child("games"))
    said = clue_metrics([(games_of(states), None)], {pair.pair_id: pair for pair in pairs}, NANO_GAME)
    scores: Outcomes = {f"{name.replace('clues/', 'clue/')}, sampled": values for name, values in said.items() if is_share(name)}
    for manner, kinds in ((AS_IT_ANSWERS, (GREEDY, SAMPLED)), (REASONED, (GREEDY,))):
        who = policy if manner == AS_IT_ANSWERS else replace(policy, reply_prefix=NANO_REASONING)
        values = vote_metrics(game, states, pairs, who, seed.child("votes"), manners=kinds, prefix=NANO_REASONING)
        scores |= {_vote_score(name, manner): shares for name, shares in values.items() if not name.endswith("/words")}
    return scores


def _vote_score(name: str, manner: str) -> str:
    """Name of a score here: ``vote/forced, sampled`` for ``decision sampled/forced``."""
    group, _, what = name.partition("/")
    group, is_sampled = group.removesuffix(" sampled"), group.endswith(" sampled")
    group = "vote" if group in ("decision", "replies") else group
    return f"{group}/{what}, {'sampled' if is_sampled else manner}"
