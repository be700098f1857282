"""From a reply to its answer: MathVista's extraction step, without the paid model that the official script asks.

The official script returns a reply that is a choice or a number as it is and sends every other one to GPT-4 with five examples.
Here rules do that: an exact choice, letter or number; then a box; then what the reply announces, concludes, or states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from vision_zero.evaluation.benchmarks.extraction import choices as options
from vision_zero.evaluation.benchmarks.extraction.free_form import as_list, list_said, number_in, number_said
from vision_zero.evaluation.benchmarks.extraction.multiple_choice import choice_said, valued
from vision_zero.evaluation.benchmarks.extraction.numbers import only_number
from vision_zero.evaluation.benchmarks.extraction.reply import boxed, emphasised, readable, sentences
from vision_zero.evaluation.benchmarks.extraction.statements import NOT_ANSWERED

AnswerType = Literal["text", "integer", "float", "list"]
VERSION = "1"
"""Of these rules; it is kept with every score, and raised whenever a rule changes what is extracted."""


def extract(reply: str, question: str, answer_type: AnswerType, choices: Sequence[str] = ()) -> str:
    """The answer that a reply gives: an option's letter or words, a decimal, or a list as Python prints it.

    Args:
        reply: the model's words; any text at all.
        question: the question, without choices; its numbers and words tell a restatement from an answer.
        answer_type: ``text`` for multiple choice.
        choices: the options, in the order in which the model was shown them.

    Returns:
        ``""`` for an empty reply, ``N/A`` for one that gives no answer. Extracting again from the result changes nothing.
    """
    if not reply.strip():
        return ""
    if choices:
        return _choice(reply, question, choices)
    if answer_type == "list":
        return _list(reply, question)
    return _number(reply, question)


def _choice(reply: str, question: str, choices: Sequence[str]) -> str:
    if reply in choices:
        return reply
    text = readable(reply)
    letter = options.lone_letter(text, len(choices))
    if letter is not None:
        return letter
    place = options.same(text, choices)
    whole = choices[place] if place is not None else valued(only_number(text), choices)
    if whole is not None:
        return whole
    inside = boxed(text)
    if inside is not None:
        if (place := options.same(inside, choices)) is not None:
            return options.letter_of(place)
        return choice_said([options.plain(inside)], question, choices)
    return choice_said(sentences(text), question, choices)


def _number(reply: str, question: str) -> str:
    text = readable(reply)
    whole = only_number(text)
    if whole is not None:
        return whole.text
    inside = boxed(text)
    if inside is not None and (number := number_in(inside, "", is_answer=True)) is not None:
        return number.text
    return number_said(sentences(text), emphasised(text), question) or NOT_ANSWERED


def _list(reply: str, question: str) -> str:
    text = readable(reply)
    inside = boxed(text)
    if inside is not None and (listed := as_list(inside.strip("[] "))):
        return listed
    return list_said(sentences(text), text, question) or NOT_ANSWERED
