r"""Choices in prose: by words or value, where ``6 \sqrt { 2 }`` and 6√2 are the same; and yes or no, where it is implied."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from vision_zero.evaluation.benchmarks.extraction.numbers import only_number
from vision_zero.evaluation.benchmarks.extraction.reply import UNWRAPPED

_COMMANDS = re.compile(r"\\[a-zA-Z]{1,20}\s?|[${}\\]")
_LATEX = (
    (UNWRAPPED, r"\1"),
    (re.compile(r"\\[dt]?frac\s?\{\s?([^{}]{1,40}?)\s?\}\s?\{\s?([^{}]{1,40}?)\s?\}"), r"\1/\2"),
    (re.compile(r"\\sqrt|\bsqrt\b|√"), "√"),
    (re.compile(r"√\s?(?:\{\s?([\w.]{1,12})\s?\}|\(\s?([\w.]{1,12})\s?\))"), r"√\1\2"),
    (re.compile(r"\\pi\b|\bpi\b"), "π"),
    (re.compile(r"\^\s?\{?\\circ\}?|\s?°| degrees?\b"), "°"),
    (re.compile(r"\\(?:times|cdot)|\*"), " "),
    (_COMMANDS, ""),
    (re.compile(r"(?<=[\d)°]) (?=[√π])|(?<=[/√+=-]) | (?=[/√+=-])"), ""),
    (re.compile(r"\s+"), " "),
)
_ALONE = re.compile(r"\W{0,6}([A-Za-z])\W{0,6}")
_YES = frozenset("yes yep yeah true correct 是 对".split())
_NO = frozenset("no nope false incorrect 否 不是 不 错".split())
_NOT = re.compile(r"(?i)\b(?:not|no|never|neither|none|cannot|without)\b|n't\b|不|没有")
_SAID = re.compile(r"(?i)\b(yes|yep|yeah|no|nope|true|false)\b|^(?:是|对|否|不是|不|错)(?=的?(?:\W|$))")
_MORE = re.compile(r"(?i)\b(?:greater|more|larger|higher|bigger|longer|taller|above|exceeds?)\b")
_LESS = re.compile(r"(?i)\b(?:less|fewer|smaller|lower|shorter|below)\b")
_DEGREE = re.compile(rf"{_MORE.pattern}|{_LESS.pattern[4:]}|\b(?:(?:max|min)imum|(?:high|low|great|larg|small)est|most|least)\b")
_SAME = re.compile(r"(?i)\b(?:equals?|same)\b")
_LIKE = re.compile(r"(?i)\b(?:like|same|similar|equal|identical|alike)\b")
_DIFFERS = re.compile(r"(?i)\b(?:while|whereas|differ(?:s|ent)?)\b")
_PRONOUN = re.compile(r"(?i)\b(?:it|this|that|they|these|those|he|she|both)\b")
_SMALL = frozenset("is are was were do does did has have had the an its there than be of in on by to so and as".split())
_FULL, _EMPTY = re.compile(r"(?i)\bfull\b"), re.compile(r"(?i)\bempty\b")
_OPPOSITES = ((_MORE, _LESS), (_LESS, _MORE), (_MORE, _SAME), (_LESS, _SAME), (_LIKE, _DIFFERS), (_FULL, _EMPTY), (_EMPTY, _FULL))


def unwrapped(text: str) -> str:
    r"""The text without ``\text{…}``, commands and dollar signs, spaces as they are."""
    return _COMMANDS.sub("", UNWRAPPED.sub(r"\1", text)).strip()


@lru_cache(maxsize=256)
def plain(text: str) -> str:
    """The text without LaTeX: roots, fractions and degrees in one notation, single spaces."""
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return text.strip()


def canonical(text: str) -> str:
    """The plain text in lower case, without punctuation around it; equal for equal choices."""
    return plain(text).strip(" .,;:!\"'").lower()


def letter_of(place: int) -> str:
    """A for the first choice."""
    return chr(ord("A") + place)


def lone_letter(text: str, count: int) -> str | None:
    """The letter, in capitals, when a text is nothing else and it is one of that many options or already a capital."""
    match = _ALONE.fullmatch(text)
    return match[1].upper() if match and (match[1].isupper() or ord(match[1]) - ord("a") < count) else None


def same(text: str, choices: Sequence[str]) -> int | None:
    """The choice that a text is, in whatever notation; None if it is none of them or the choices do not differ."""
    said = canonical(text)
    place = next((place for place, choice in enumerate(choices) if canonical(choice) == said), None)
    number = only_number(said) if place is None else None
    return of_value(number.value, choices) if number else place


def of_value(value: float, choices: Sequence[str]) -> int | None:
    """The one choice that is this number, its unit aside."""
    numbers = [(place, only_number(canonical(choice))) for place, choice in enumerate(choices)]
    near = [place for place, number in numbers if number and math.isclose(number.value, value, rel_tol=1e-6, abs_tol=1e-9)]
    return near[0] if len(near) == 1 else None


def mentions(sentence: str, choices: Sequence[str]) -> list[tuple[int, int]]:
    """Where in a sentence the words of choices are, and of which, in order; of overlapping ones the longest."""
    said, found = canonical(sentence), []
    taken = bytearray(len(said))  # by a longer choice, which was looked for before
    for place, choice in sorted(enumerate(map(canonical, choices)), key=lambda item: -len(item[1])):
        if not choice or (len(choice) == 1 and not choice.isdigit()):
            continue  # a single letter is an option's name or an article
        singular = choice not in said and len(choice) > 4 and choice.isalpha()
        words = choice.removesuffix("s") if singular else choice
        before = r"(?<![\d.√/^*+-])" if words[0].isdigit() or words[0] in "√π-." else "(?<![a-z])" if words[0].isalpha() else ""
        after = r"(?![\d√π/^]|[.,:]\d)" if words[-1].isdigit() else "s?(?![a-z])" if words[-1].isalpha() else ""
        for match in re.finditer(before + re.escape(words) + after, said):
            if not any(taken[match.start() : match.end()]):
                found.append((match.start(), place))
                taken[match.start() : match.end()] = b"x" * len(match[0])
    return sorted(found)


def are_numbers(choices: Sequence[str]) -> bool:
    """Is each choice a number, perhaps with a unit?"""
    return all(only_number(canonical(choice)) for choice in choices)


def yes_and_no(choices: Sequence[str]) -> tuple[int, int] | None:
    """The places of yes and of no when the choices are just these two (or true and false)."""
    words = [choice.strip().lower() for choice in choices]
    yes = [place for place, word in enumerate(words) if word in _YES]
    no = [place for place, word in enumerate(words) if word in _NO]
    return (yes[0], no[0]) if len(words) == 2 and len(yes) == len(no) == 1 else None


def says_yes(sentence: str) -> bool | None:
    """Whether the sentence begins with, or else contains just one of, yes and no; None when it says neither."""
    said = {match[0].lower() for match in _SAID.finditer(sentence)}
    if opening := _SAID.match(sentence.lstrip(" ,.:\"'(*")):
        return opening[0].lower() in _YES
    return said.pop() in _YES if len(said) == 1 and said != {"no"} else None


def implies_yes(sentence: str, question: str) -> bool:
    """Whether a sentence without a yes or no affirms what was asked.

    A comparison the other way round, with something else, or of equals denies it; so does a negation that the question lacks.
    """
    if _is_of_another(sentence, question):
        return False
    for one, other in _OPPOSITES:
        if one.search(question) and not other.search(question) and other.search(sentence) and not one.search(sentence):
            return bool(_NOT.search(sentence))
    return bool(_NOT.search(sentence)) == bool(_NOT.search(question))


def _is_of_another(sentence: str, question: str) -> bool:
    """Does it say of something else what was asked: "B is the largest", or "B is larger", where the question was whether A is?"""
    asked, stated = _DEGREE.search(question), _DEGREE.search(sentence)
    if asked is None or stated is None or _NOT.search(sentence) or _PRONOUN.search(sentence):
        return False
    one, other = _names(question[: asked.start()]), _names(question[asked.end() :].partition("than")[2])
    first = _names(sentence[: stated.start()] if other else sentence)
    return bool(one - other) and not (one - other) & first and bool((other - one) & first if other else first)


def _names(words: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{2,}", words.lower())) - _SMALL
