"""Answers that are an integer, a float or a list of numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vision_zero.evaluation.benchmarks.extraction.numbers import Number, numbers_in, only_number
from vision_zero.evaluation.benchmarks.extraction.statements import announced, concludes, declines, main_clause, ranked

_FILLED = (
    r"[\s$\"'({\[*~£€]{0,4}(?:\b(?:an?|only|about|approximately|around|exactly|roughly|equal to|a total of)\b\s?){0,3}"
    r"[\s$\"'({\[*~£€]{0,4}$"
)
_STATES = re.compile(
    r"(?:\b(?:is|are|was|were|be|equals?|costs?|needs?|gets?|takes?|left|totals?|only|about|approximately|around|roughly|exactly|"
    rf"has|have|see|shows?|contains?|there's|equal to|total of)\b|\\approx|[=≈:是为有]){_FILLED}",
    re.IGNORECASE,
)
_LINKS = re.compile(rf"\b(?:of|to|by|at|in|with)\b{_FILLED}", re.IGNORECASE)
_TOTALS = re.compile(rf"\b(?:total of|in total|totals?|altogether)\b{_FILLED}", re.IGNORECASE)
_EXISTS = re.compile(rf"\bthere (?:is|are|was|were|would be|will be)\b{_FILLED}", re.IGNORECASE)
_NONE_LEFT = re.compile(
    r"\bthere (?:is|are|was|were|would be|will be) (?:no|none)\b|\bno \w+(?: \w+)? (?:are|is|remain)", re.IGNORECASE
)
_ASKS_YEAR = re.compile(r"\b(?:which|what|in what|in which) years?\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_LIST = re.compile(r"\[([^\[\]]{0,2000})\]")
_PAIR = re.compile(r"\b(?:between|from)\b", re.IGNORECASE)


def number_said(sentences: Sequence[str], emphasised: Sequence[str], question: str) -> str | None:
    """The number that the reply answers with, as a decimal; None when it names none or declines to answer.

    Tried in this order: what follows "the answer is"; a last or first line, or else bold print, that is only a number; the
    likeliest statements. A sentence after which the reply only declines is not trusted.
    """
    for statement in announced(sentences):
        if not declines(statement) and (number := number_in(statement, question, is_answer=True)) is not None:
            return number.text
    for sentence in (*sentences[-1:], *sentences[:1], *emphasised[::-1]):
        if (number := only_number(sentence)) is not None:
            return number.text
    for sentence in ranked(_trusted(sentences), question):
        if (number := number_in(sentence, question)) is not None:
            return number.text
        if concludes(sentence) and _NONE_LEFT.search(sentence):
            return "0"
    return next(("0" for sentence in _trusted(sentences) if _NONE_LEFT.search(sentence)), None)


def number_in(sentence: str, question: str, *, is_answer: bool = False) -> Number | None:
    """The number that a sentence is about.

    A year when a year is asked for; of the rest the main clause before what is subordinate, what the question did not name
    already, and the last number that is said of something ("is", "there are", an equals sign). Spelled-out numbers and numbers of
    the question count only where they are said of something. ``is_answer``: the text begins with the answer itself.
    """
    found = numbers_in(sentence)
    if _ASKS_YEAR.search(question):
        found = [number for number in found if _YEAR.fullmatch(number.text)] or found
    main = len(main_clause(sentence))
    first = [number for number in found if number.start < main]
    return _chosen(first, sentence, question, is_answer) or _chosen(found, sentence, question, is_answer)


def _chosen(found: Sequence[Number], sentence: str, question: str, is_answer: bool) -> Number | None:
    """One of the numbers found in a sentence or in its main clause; None when all only repeat the question."""
    stated = [number for number in found if _before(_STATES, sentence, number)]
    if is_answer:
        return _last(equated) if (equated := [number for number in stated if "=" in sentence[: number.start]]) else _first(found)
    asked = {number.value for number in numbers_in(question)}
    found = [number for number in found if number in stated or not (number.is_word or number.value in asked)]
    existing = [number for number in found if _before(_TOTALS, sentence, number)]
    existing = existing or [number for number in found if _before(_EXISTS, sentence, number)]
    linked = [number for number in found if _before(_LINKS, sentence, number)]
    surest = existing or [number for number in found if number in stated] or linked or found
    return _last([number for number in surest if number.value not in asked] or surest)


def list_said(sentences: Sequence[str], text: str, question: str) -> str | None:
    """The list that the reply answers with, written as Python writes one; None without numbers.

    The last bracketed list, else the two numbers of "between … and …" or "from … to …", else all numbers of the statement.
    """
    for match in reversed(list(_LIST.finditer(text))):
        if listed := as_list(match[1]):
            return listed
    order = ranked(_trusted(sentences), question)
    for sentence in [*announced(sentences), *filter(_PAIR.search, order), *order]:
        found = numbers_in(sentence)
        pair = _PAIR.search(sentence)
        if pair and len(after := [number for number in found if number.start >= pair.end()]) >= 2:
            found = after[:2]
        if len(found) >= 2:
            return f"[{', '.join(number.text for number in found)}]"
    return None


def as_list(inside: str) -> str | None:
    """The inside of a pair of brackets as Python would print the list; None when an element is no number."""
    parts = [part.strip(" \n\t'\"$%") for part in inside.split(",")]
    elements = []
    for part in parts:
        found = numbers_in(part)
        if len(found) != 1 or len(found[0].text) < len(part) - 12:
            return None
        elements.append(found[0].text)
    return f"[{', '.join(elements)}]" if elements else None


def _trusted(sentences: Sequence[str]) -> Sequence[str]:
    """The sentences, or none when the reply declines and says nothing of weight after that."""
    last = max((number for number, sentence in enumerate(sentences) if declines(sentence)), default=-1)
    if last < 0:
        return sentences
    later = sentences[last + 1 :]
    return later if any(concludes(sentence) for sentence in later) or (later and last == 0) else ()


def _before(pattern: re.Pattern[str], sentence: str, number: Number) -> bool:
    return pattern.search(sentence, max(0, number.start - 40), number.start) is not None


def _first(numbers: Sequence[Number]) -> Number | None:
    return numbers[0] if numbers else None


def _last(numbers: Sequence[Number]) -> Number | None:
    return numbers[-1] if numbers else None
