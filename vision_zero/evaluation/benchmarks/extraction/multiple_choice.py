"""Answers to multiple-choice questions: a letter, a choice's words, or the value that the reply comes to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vision_zero.evaluation.benchmarks.extraction import choices as options
from vision_zero.evaluation.benchmarks.extraction.free_form import number_in
from vision_zero.evaluation.benchmarks.extraction.numbers import Number, only_number
from vision_zero.evaluation.benchmarks.extraction.polarity import implies_yes, says_yes, yes_and_no
from vision_zero.evaluation.benchmarks.extraction.statements import (
    NOT_ANSWERED,
    announced,
    concludes,
    declined,
    declines,
    main_clause,
    ranked,
)

_UNDECIDED = re.compile(r"cannot be|can't be|not enough|no(?:t)? (?:enough )?information|none of|not determined", re.IGNORECASE)
_WRONG = re.compile(
    r"\b(?:incorrect|wrong|not (?:the )?(?:correct|right)|would be (?:the )?correct|ruled out|eliminate|none of)", re.IGNORECASE
)
_WORDS = re.compile(r"[^\W_]{2,}(?:'[^\W_]+)?|\d|\b[A-Z]\b")
_COPULA = re.compile(r"\b(?:is|are|was|were|be)\b", re.IGNORECASE)
_EQUALS = re.compile(r"[=≈]")
_CLOCK = re.compile(r"\b\d{1,2}:([0-5]\d)\b")
_MINUTES = {"00": "o'clock", "15": "quarter", "30": "half", "45": "quarter"}


def choice_said(sentences: Sequence[str], question: str, choices: Sequence[str]) -> str:
    """The letter of the choice that the reply names, else the value that it comes to, else ``N/A``.

    A letter beyond the choices and a value that is no choice are returned as they are: the official scoring takes the nearest
    choice for them.
    """
    for statement in announced(sentences):
        if (said := _announced(statement, question, choices)) is not None:
            return said
    if (said := _opening(sentences, choices)) is not None:
        return said
    if (said := _lettered(sentences, choices)) is not None:
        return said
    undecided = [place for place, choice in enumerate(choices) if _UNDECIDED.search(choice)]
    declining = [number for number, sentence in enumerate(sentences) if declines(sentence)]
    if declining and not any(concludes(sentence) for sentence in sentences[declining[-1] + 1 :]):
        return options.letter_of(undecided[0]) if undecided else declined(sentences)
    return _meant(sentences, question, choices)


def valued(number: Number | None, choices: Sequence[str]) -> str | None:
    """The letter of the choice that is this number; where all choices are numbers, else the number itself."""
    place = None if number is None else options.of_value(number.value, choices)
    if place is not None:
        return options.letter_of(place)
    return number.text if number is not None and _numeric(choices) else None


def _announced(statement: str, question: str, choices: Sequence[str]) -> str | None:
    """What the text after "the answer is" names: by letter, by yes or no, by a choice's words, or by a number."""
    letters = options.parenthesised_letters(statement)
    letter = options.lone_letter(statement, len(choices)) or options.leading_letter(statement)
    letter = letter or (letters[0] if letters else options.named_letter(statement))
    yes = says_yes(statement)
    pair = yes_and_no(choices)
    if letter is not None:
        return letter
    if pair and yes is not None:
        return options.letter_of(pair[0] if yes else pair[1])
    if declines(statement):
        return None
    found = options.mentions(main_clause(statement), choices) or options.mentions(statement, choices)
    place = found[0].choice if found else _after_letter(statement, choices)
    if place is not None:
        return options.letter_of(place)
    return valued(number_in(statement, question, is_answer=True), choices)


def _after_letter(statement: str, choices: Sequence[str]) -> int | None:
    """The choice whose words follow a bare letter: "B 120"."""
    return options.same(statement[1:], choices) if re.match(r"[A-Z]\b", statement) else None


def _opening(sentences: Sequence[str], choices: Sequence[str]) -> str | None:
    """The choice that the reply begins with, unless others follow or it is called wrong; of a mere list of options the last."""
    if not sentences:
        return None
    first = sentences[0]
    letter = options.leading_letter(first)
    letters = {options.leading_letter(sentence) for sentence in sentences} - {None}
    if letter is not None and (len(letters) == 1 or ord(letter) - ord("A") >= len(choices)):
        worded = [place for sentence in sentences if (place := options.same(options.after_letter(sentence), choices)) is not None]
        if worded and ord(letter) - ord("A") >= len(choices):
            return options.letter_of(worded[-1])
        if not _WRONG.search(first) and not options.lists_options(first):
            return letter
    if (place := options.same(first, choices)) is not None:
        return options.letter_of(place)
    yes = says_yes(first) if re.match(r"\W{0,4}(?:yes|no|true|false)\b", first, re.IGNORECASE) else None
    pair = yes_and_no(choices)
    return None if pair is None or yes is None else options.letter_of(pair[0] if yes else pair[1])


def _lettered(sentences: Sequence[str], choices: Sequence[str]) -> str | None:
    """The letter of the last conclusion that has one, of a sentence that is only a letter, or the only letter anywhere."""
    positive = [sentence for sentence in sentences if not _WRONG.search(sentence)]
    for sentence in reversed(positive):
        letters = options.parenthesised_letters(sentence)
        if letters and (concludes(sentence) or len(sentence) < 6) and len(set(letters)) == 1:
            return letters[-1]
    everywhere = [letter for sentence in positive for letter in options.parenthesised_letters(sentence)]
    allowed = {letter for letter in everywhere if ord(letter) - ord("A") < len(choices)}
    if len(allowed) == 1:
        return allowed.pop()
    for sentence in reversed(positive):
        if not declines(sentence) and (letter := options.named_letter(sentence)) is not None:
            return letter
    return options.called_letter(positive[-1], len(choices)) if positive else None


def _meant(sentences: Sequence[str], question: str, choices: Sequence[str]) -> str:
    """The choice that the likeliest statements name by words, by value, by yes or no, or by most of its words."""
    order = ranked(sentences, question)
    pair = yes_and_no(choices)
    if pair and order:
        yes = next((said for sentence in order[:2] if (said := says_yes(sentence)) is not None), None)
        return options.letter_of(pair[0] if (implies_yes(order[0], question) if yes is None else yes) else pair[1])
    numeric = _numeric(choices)
    for sentence in order:
        place = None if numeric else _named(sentence, question, choices)
        place = _time(sentence, choices) if place is None else place
        if place is not None:
            return options.letter_of(place)
        if (value := valued(number_in(sentence, question), choices)) is not None:
            return value
    place = _overlapping(order, choices)
    return NOT_ANSWERED if place is None else options.letter_of(place)


def _named(sentence: str, question: str, choices: Sequence[str]) -> int | None:
    """The first choice after the last equals sign or "is" of the main clause, else its first; the question's own come last."""
    clause = re.split(r"\bthan\b", main_clause(sentence))[0]
    text = clause if options.mentions(clause, choices) else sentence
    found = options.mentions(text, choices)
    asked = {mention.choice for mention in options.mentions(question, choices)}
    found = [mention for mention in found if mention.choice not in asked] or found
    for pattern in (_EQUALS, _COPULA):
        ends = [match.end() for match in pattern.finditer(options.canonical(text))]
        after = [mention for mention in found if ends and mention.start >= ends[-1]]
        if after:
            return after[0].choice
    return found[0].choice if found else None


def _time(sentence: str, choices: Sequence[str]) -> int | None:
    """The choice among half, quarter and o'clock that a time such as 6:30 amounts to."""
    times = _CLOCK.findall(sentence)
    word = _MINUTES.get(times[-1]) if times else None
    return choices.index(word) if word in choices else None


def _numeric(choices: Sequence[str]) -> bool:
    return all(only_number(options.canonical(choice)) for choice in choices)


def _overlapping(order: Sequence[str], choices: Sequence[str]) -> int | None:
    """The choice most of whose words one sentence has, if one choice leads."""
    for sentence in order:
        said = {word.lower() for word in _WORDS.findall(sentence)}
        shares = []
        for choice in choices:
            words = {word.lower() for word in _WORDS.findall(options.plain(choice))}
            shares.append(len(words & said) / len(words) if words else 0.0)
        best = max(shares, default=0.0)
        if best >= 0.5 and shares.count(best) == 1:
            return shares.index(best)
    return None
