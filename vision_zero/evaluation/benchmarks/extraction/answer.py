"""From a reply to its answer: MathVista's extraction step, without the paid model that the official script asks.

The official script returns a reply that is a choice or a number as it is and sends every other one to GPT-4 with five examples.
Here the table of :mod:`vision_zero.evaluation.benchmarks.extraction.answer_patterns` does that, read by ``readers``; a reply that
matches no pattern is handled by ``fallback``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from vision_zero.evaluation.benchmarks.extraction.answer_patterns import FORMS
from vision_zero.evaluation.benchmarks.extraction.fallback import choice_meant, list_meant, number_meant
from vision_zero.evaluation.benchmarks.extraction.readers import read_choice, read_list, read_number
from vision_zero.evaluation.benchmarks.extraction.reply import NOT_ANSWERED, Reply

Answer = TypeVar("Answer")
AnswerType = Literal["text", "integer", "float", "list"]
VERSION = "3"
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
    if not reply.strip() or reply in choices:
        return reply.strip() and reply
    outer, said, meant = Reply.of(reply), None, None
    parts = outer.inner
    if choices:
        # What is boxed may be a value that is none of the choices, beside an answer that is one.
        found = [
            stated(of, "choice", lambda words, alone: read_choice(words, question, choices, alone=alone)) for of in (parts, outer)
        ]
        said = next((letter for letter in found if letter and len(letter) == 1), found[0])
        meant = choice_meant(parts.sentences, question, choices) if said is None else None
    elif answer_type == "list":
        said = stated(parts, "list", lambda words, alone: read_list(words, alone=alone)) or list_meant(parts, question)
    else:
        number = stated(parts, "number", lambda words, alone: read_number(words, question, alone=alone))
        said = number_meant(parts.sentences, question) if number is None else number.text
    return said or meant or NOT_ANSWERED


def stated(reply: Reply, kind: str, read: Callable[[str, bool], Answer | None]) -> Answer | None:
    """What the first form of the table whose words can be read says."""
    words = ((said, form.alone) for form in FORMS if kind in form.kinds for said in form.find(reply))
    return next((answer for said, alone in words if (answer := read(said, alone)) is not None), None)
