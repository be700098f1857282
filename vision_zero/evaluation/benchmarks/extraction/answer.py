"""From a reply to its answer: MathVista's extraction step, without the paid model that the official script asks.

The official script returns a reply that is a choice or a number as it is and sends every other one to GPT-4 with five examples.
Here the table of :mod:`vision_zero.evaluation.benchmarks.extraction.answer_patterns` does that, read by ``readers``. Where no row
matches, the sentences count that conclude, or that repeat the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from vision_zero.evaluation.benchmarks.extraction import choices as options
from vision_zero.evaluation.benchmarks.extraction.answer_patterns import FORMS
from vision_zero.evaluation.benchmarks.extraction.numbers import numbers_in
from vision_zero.evaluation.benchmarks.extraction.readers import counting, number_in, read_choice, read_list, read_number, valued
from vision_zero.evaluation.benchmarks.extraction.reply import NOT_ANSWERED, Reply, beyond, concludes, declines, main_clause

Answer = TypeVar("Answer")
AnswerType = Literal["text", "integer", "float", "list"]
VERSION = "5"  # of these rules; it is kept with every score, and raised whenever a rule changes what is extracted
_COMMON = frozenset(
    "the and for are was were with that this from which what how many much does did has have had will would than then its their "
    "there here following given figure image picture chart shown above below answer question please option choose".split()
)
_RESULT = re.compile(r"(?i)^\W{0,4}[^\W\d][\w' ()]{0,36}? ?(?:\b(?:is|are|was)\b|[=≈]) ?[$€£]?-?[\d.,/]{1,20}\W{0,3}\w*\W*$")
_BECAUSE = re.compile(r"(?i)^\W{0,4}(?:(?:this|that|it) is )?because\b")
_LIKELIEST = 40  # statements that are looked at
_UNDECIDED = re.compile(r"(?i)cannot be|can't be|not enough|no(?:t)? (?:enough )?information|none of|not determined")
_REVISES = re.compile(r"(?im)(?:^|(?<=[.!?…]\s))\W{0,4}(?:no,? )?(?:wait|actually|hold on|on second thought|let me re\W?\w+)\b")
_WORDS = re.compile(r"[^\W_]{2,}(?:'[^\W_]+)?|\d|\b[A-Z]\b")
_NONE_AT_ALL = re.compile(r"(?i)^\W*(?:\w+, )?there (?:is|are) no\b[^,;]*$")  # "there are no bars above 50"
_NONE_LEFT = re.compile(
    r"(?i)\bthere (?:is|are|was|were|would be|will be) (?:no|none)\b|\bno \w+(?: \w+)? (?:are|is|remain)|^\W*none\W*$"
    r"|\b(?:none|nothing)\b[^.]{0,30}\b(?:left|remains?)\b"
)


def extract(reply: str, question: str, answer_type: AnswerType, choices: Sequence[str] = ()) -> str:
    """The answer that a reply, any text at all, gives: an option's letter or words, a decimal, or a list as Python prints it;
    ``""`` for an empty one, ``N/A`` where there is none. Extracting again from the result changes nothing. The question comes
    without its choices, and these in the order in which the model saw them; the answer type is ``text`` for multiple choice.
    """
    if not reply.strip() or reply in choices:
        return reply.strip() and reply
    outer, said, meant = Reply.of(beyond(question, reply) if options.are_numbers(choices) else reply), None, None
    parts = outer.inner
    if choices:
        # What is boxed may be a value that is none of the choices, beside an answer that is one.
        found = [
            stated(of, "choice", lambda words, alone: read_choice(words, question, choices, alone=alone)) for of in (parts, outer)
        ]
        said = next((letter for letter in found if letter and len(letter) == 1), found[0])
        meant = choice_meant(parts.statements, question, choices) if said is None else None
    elif answer_type == "list":
        said = stated(parts, "list", lambda words, alone: read_list(words, alone=alone)) or list_meant(parts, question)
    else:
        number = stated(parts, "number", lambda words, alone: read_number(words, question, alone=alone))
        said = number_meant(parts.statements, question) if number is None else number.text
    return said or meant or NOT_ANSWERED


def stated(reply: Reply, kind: str, read: Callable[[str, bool], Answer | None]) -> Answer | None:
    """What the first form of the table whose words can be read says."""
    later = _REVISES.split(reply.text)[1:]
    parts = (Reply.of(later[-1]), reply) if later else (reply,)
    words = ((said, form.alone) for part in parts for form in FORMS if kind in form.kinds for said in form.find(part))
    return next((answer for said, alone in words if (answer := read(said, alone)) is not None), None)


def choice_meant(sentences: Sequence[str], question: str, choices: Sequence[str]) -> str:
    """The letter of the choice that the likeliest statements name, else the value that they come to, else ``N/A``.

    Where the reply declines and concludes nothing after that: the choice that says so, if there is one.
    """
    if sentences and not _trusted(sentences):
        undecided = [place for place, choice in enumerate(choices) if _UNDECIDED.search(choice)]
        return options.letter_of(undecided[0]) if undecided else NOT_ANSWERED
    order, pair = ranked(sentences, question), options.yes_and_no(choices)
    if pair and order:
        yes = next((said for sentence in order[:2] if (said := options.says_yes(sentence)) is not None), None)
        return options.letter_of(pair[0] if (options.implies_yes(order[0], question) if yes is None else yes) else pair[1])
    numeric = options.are_numbers(choices)
    for sentence in order:
        place = None if numeric else _named(sentence, question, choices)
        place = _time(sentence, choices) if place is None else place
        if place is not None:
            return options.letter_of(place)
        if (value := valued(number_in(sentence, question), choices)) is not None:
            return value
    place = _overlapping(order, choices)
    return NOT_ANSWERED if place is None else options.letter_of(place)


def number_meant(sentences: Sequence[str], question: str) -> str | None:
    """The number of the likeliest statement; 0 where none are left. Declined after that, it is not trusted."""
    trusted = _trusted(sentences)
    for sentence in ranked(trusted, question):
        if (number := None if _NONE_AT_ALL.match(sentence) else number_in(sentence, question)) is not None:
            return number.text
        if concludes(sentence) and _NONE_LEFT.search(sentence):
            return "0"
    return next(("0" for sentence in trusted if _NONE_LEFT.search(sentence)), None)


def list_meant(reply: Reply, question: str) -> str | None:
    """The list in the last brackets, of a statement with "between" or "from", or of the likeliest that has one."""
    order = ranked(_trusted(reply.sentences), question)
    bracketed = [part for part in re.findall(r"\[[^\[\]]{0,2000}\]", reply.text)[::-1] if read_list(part, alone=True)]
    pairs = [sentence for sentence in order if re.search(r"\b(?:between|from)\b", sentence, re.IGNORECASE)]
    return next((listed for said in (*bracketed, *pairs, *order) if (listed := read_list(said, alone=False))), None)


def _trusted(sentences: Sequence[str]) -> Sequence[str]:
    """The sentences, or none when the reply declines and says nothing of weight after that."""
    last = max((number for number, sentence in enumerate(sentences) if declines(sentence)), default=-1)
    later = sentences[last + 1 :]
    return later if last <= 0 or any(concludes(sentence) for sentence in later) else ()


def _named(sentence: str, question: str, choices: Sequence[str]) -> int | None:
    """The first choice after the last equals sign or "is" of the main clause, else its first; the question's own come last."""
    clause = re.split(r"\bthan\b", main_clause(re.sub(r"(?i)^\W*(?:compared|unlike|apart from|besides)\b.*, ", "", sentence)))[0]
    text = clause if options.mentions(clause, choices) else sentence
    found, asked = options.mentions(text, choices), {choice for _, choice in options.mentions(question, choices)}
    found = [(start, choice) for start, choice in found if choice not in asked] or found
    for pattern in (r"[=≈]", r"\b(?:is|are|was|were|be)\b", r"^"):
        for end in [match.end() for match in re.finditer(pattern, options.canonical(text))][-1:]:
            if after := [choice for start, choice in found if start >= end]:
                return after[0]
    return None


def _time(sentence: str, choices: Sequence[str]) -> int | None:
    """The choice among half, quarter and o'clock that a time such as 6:30 amounts to."""
    minutes = re.findall(r"\b\d{1,2}:([0-5]\d)\b", sentence)[-1:]
    word = {"00": "o'clock", "15": "quarter", "30": "half", "45": "quarter"}.get("".join(minutes))
    return choices.index(word) if word in choices else None


def _overlapping(order: Sequence[str], choices: Sequence[str]) -> int | None:
    """The choice most of whose words one sentence has, if one choice leads."""
    wanted = [{word.lower() for word in _WORDS.findall(options.plain(choice))} for choice in choices]
    for sentence in order:
        said = {word.lower() for word in _WORDS.findall(sentence)}
        shares = [len(words & said) / len(words) if words else 0.0 for words in wanted]
        best = max(shares, default=0.0)
        if best >= 0.5 and shares.count(best) == 1:
            return shares.index(best)
    return None


def ranked(sentences: Sequence[str], question: str) -> list[str]:
    """The statements, likeliest first: a conclusion counts 1, as does a last line that only says what something is; the share of
    the question that it restates 1, a number of what the question asks to count 1, its place 0.3, and a reason -1."""
    parts = re.split(r"(?<=[.?!])\s+", question.strip(" '\""))
    part = next((part for part in parts[::-1] if part.endswith("?")), parts[-1])  # that asks, if it has two words of weight
    asked, last = _content(part if len(_content(part)) > 1 else question), max(len(sentences) - 1, 1)
    weights = {
        place: len(asked & _content(sentence)) / max(len(asked), 1)
        + (concludes(sentence) or (place == last and _RESULT.match(sentence) is not None))
        - (_BECAUSE.match(sentence) is not None)
        + bool(counting(numbers_in(sentence), sentence, question))
        + 0.3 * place / last
        for place, sentence in enumerate(sentences)
        if not sentence.endswith("?")
    }
    return [sentences[place] for place in sorted(weights, key=weights.__getitem__, reverse=True)[:_LIKELIEST]]


def _content(text: str) -> set[str]:
    """The words of weight. A plural is the same word: cutting the last s is enough to compare with."""
    return {word.removesuffix("s") for word in re.findall(r"[^\W\d_]{3,}", text.lower())} - _COMMON
