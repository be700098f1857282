"""The examination of a taught policy on pictures that it has never seen: what it sees, says, judges, and how it votes.

Everything is measured greedy; votes and clues are also measured sampled, since that is how the game is played.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.config.nano import NANO_GAME
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.evaluation.duels import duel, vote_again, vote_shares
from vision_zero.evaluation.estimates import estimate
from vision_zero.evaluation.questions import AskedPicture, chart_questions, is_right, scene_questions
from vision_zero.evaluation.truth import true_clues
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.table import Table
from vision_zero.pairs.charts.source import ChartSource
from vision_zero.pairs.image_pair import ImagePair
from vision_zero.pairs.scenes.lists import WORD_ORDER, in_full, listed, matched
from vision_zero.pairs.scenes.questions import FAMILIES, VALUES
from vision_zero.pairs.scenes.source import SceneSource
from vision_zero.pairs.scenes.statements import parse
from vision_zero.policy.nano.lessons.game import teach_check
from vision_zero.policy.nano.lessons.scenes import from_left, teach_list
from vision_zero.policy.nano.marks import Exam
from vision_zero.policy.policy import Policy, user_message
from vision_zero.randomness import Seed

PER_FAMILY = 100
LONGEST_LIST, LONGEST_CHECK, LONGEST_ANSWER = 64, 176, 64
VERDICT = re.compile(r" (yes|no)\b")

Marks = dict[str, list[float]]


def examine(policy: Policy, config: WarmStartConfig) -> Exam:
    """Estimates by subject: ``list/color``, ``question/count``, ``chart/value``, ``clue/true``, ``vote greedy/accuracy``, …"""
    seed = Seed(config.seed).child("exam")
    to_list = max(config.exam_pairs, config.exam_lists)
    drawn = [SceneSource(config.scenes).sample(seed.child("scenes", number)) for number in range(to_list)]
    scenes = drawn[: config.exam_pairs]
    charts = [ChartSource(config.charts).sample(seed.child("charts", number)) for number in range(config.exam_pairs)]
    marks = {
        **_lists(policy, drawn[: config.exam_lists], seed),
        **_questions("question", policy, scene_questions(scenes, PER_FAMILY, seed, FAMILIES), seed),
        **_questions("chart", policy, chart_questions(charts, PER_FAMILY, seed), seed),
        **_checks(policy, scenes, seed),
        **_games(policy, scenes, seed),
    }
    bootstrap = EvaluationConfig()
    return Exam(
        marks={name: estimate(values, bootstrap, seed.child("bootstrap", name)) for name, values in sorted(marks.items())}
    )


def _lists(policy: Policy, pairs: Sequence[ImagePair], seed: Seed) -> Marks:
    lesson = teach_list(pairs[0].original_facts, seed.generator())
    replies = _answers(policy, [(lesson.prompt, pair) for pair in pairs], LONGEST_LIST, seed.child("list"))
    marks: Marks = {f"list/{key}": [] for key in VALUES}
    for pair, reply in zip(pairs, replies, strict=True):
        objects = in_full({"objects": from_left(pair.original_facts)})
        for item, words in zip(objects, matched(objects, listed(reply)), strict=True):
            for key, word, found in zip(WORD_ORDER, item, words, strict=True):
                marks[f"list/{key}"].append(float(word == found))
    return marks


def _questions(subject: str, policy: Policy, asked: Sequence[AskedPicture], seed: Seed) -> Marks:
    messages = [user_message(entry.question.text, entry.image) for entry in asked]
    replies = replace(policy, greedy=True).complete(messages, LONGEST_ANSWER, seed.child(subject))
    marks: Marks = {}
    for entry, reply in zip(asked, replies, strict=True):
        marks.setdefault(f"{subject}/{entry.question.family}", []).append(float(is_right(entry.question, reply.text)))
    return marks


def _checks(policy: Policy, pairs: Sequence[ImagePair], seed: Seed) -> Marks:
    lessons = [
        teach_check(pair.original_facts, pair.modified_facts, seed.child("check", pair.pair_id).generator(), reasoned=False)
        for pair in pairs
    ]
    asked = [(lesson.prompt, pair) for lesson, pair in zip(lessons, pairs, strict=True)]
    replies = _answers(policy, asked, LONGEST_CHECK, seed.child("check"))
    right = []
    for lesson, reply in zip(lessons, replies, strict=True):
        expected, said = VERDICT.findall(lesson.answer), VERDICT.findall(reply)
        said += [""] * len(expected)
        right += [float(word == found) for word, found in zip(expected, said, strict=False)]
    return {"check/verdicts": right}


def _games(policy: Policy, pairs: Sequence[ImagePair], seed: Seed) -> Marks:
    game = WhoIsTheSpy(NANO_GAME)
    tables = duel(game, pairs, policy, policy, seed.child("games"))
    transcripts = [table.transcript for table in tables]
    clues = [move for transcript in transcripts for move in transcript.clue_moves]
    marks: Marks = {
        "clue/true": true_clues(transcripts, {pair.pair_id: pair for pair in pairs}),
        "clue/readable": [float(move.unreadable is None) for move in clues],
        "game/betrayed": [float(_betrays(table, pair)) for table, pair in zip(tables, pairs, strict=True)],
    }
    for manner, players in (("greedy", replace(policy, greedy=True)), ("sampled", policy)):
        voted = vote_again(game, tables, players, seed.child("votes", manner))
        shares = vote_shares([table.transcript for table in voted])
        marks |= {f"vote {manner}/{name}": values for name, values in shares.items()}
    return marks


def _betrays(table: Table, pair: ImagePair) -> bool:
    """Has the spy said something that is false of the civilians' picture?"""
    said = [parse(move.clue) for move in table.transcript.clue_moves if move.seat == table.transcript.spy]
    return any(statement is not None and not statement.holds(pair.original_facts) for statement in said)


def _answers(policy: Policy, asked: Sequence[tuple[str, ImagePair]], limit: int, seed: Seed) -> list[str]:
    messages: list[Any] = [user_message(prompt, pair.original) for prompt, pair in asked]
    return [reply.text for reply in replace(policy, greedy=True).complete(messages, limit, seed)]
