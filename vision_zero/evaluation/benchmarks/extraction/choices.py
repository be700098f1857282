r"""Choices in prose: by letter, by their words, or by their value; ``6 \sqrt { 2 }`` and 6√2 are the same words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vision_zero.evaluation.benchmarks.extraction.numbers import only_number

_LATEX = (
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|rm|operatorname)\s?\{([^{}]{0,400})\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\s?\{\s?([^{}]{1,40}?)\s?\}\s?\{\s?([^{}]{1,40}?)\s?\}"), r"\1/\2"),
    (re.compile(r"\\sqrt|\bsqrt\b|√"), "√"),
    (re.compile(r"√\s?(?:\{\s?([\w.]{1,12})\s?\}|\(\s?([\w.]{1,12})\s?\))"), r"√\1\2"),
    (re.compile(r"\\pi\b|\bpi\b"), "π"),
    (re.compile(r"\^\s?\{?\\circ\}?|\s?°| degrees?\b"), "°"),
    (re.compile(r"\\(?:times|cdot)|\*"), " "),
    (re.compile(r"\\[a-zA-Z]{1,20}\s?|[${}\\]"), ""),
    (re.compile(r"(?<=[\d)°]) (?=[√π])|(?<=[/√+=-]) | (?=[/√+=-])"), ""),
    (re.compile(r"\s+"), " "),
)
_PARENTHESISED = re.compile(r"\(\s?([A-Za-z])\s?\)")
_LEADING = re.compile(r"\W{0,6}?\(?\s?([A-Z])\s?(?:\)|(?=[.,:;!]|\s?$|\s?\(|\s?\*))")
_NAMED = re.compile(r"\b(?:option|choice|letter|answer)\s{0,2}\(?([A-Z])\b\)?", re.IGNORECASE)
_CALLED = re.compile(
    r"\b([A-Z])\)? (?:is|would be|must be) (?:the |most )?(?:correct|right|best|answer|likely)"
    r"|\b(?:is|be|choose|select|pick|with)\s{1,2}[(\"']?([A-Z])[)\"']?(?=[.,;:!]|\s?$)"
    r"|\b(?:choose|select|pick)\s{1,2}[(\"']?([A-Z])[)\"']? (?:as|for)\b"
)
_ALONE = re.compile(r"\W{0,4}([A-Za-z])\W{0,4}")
_LISTED = re.compile(r"\(?\b[A-Z]\s?[).:]\s")


@dataclass(frozen=True, slots=True)
class Mention:
    """A choice named in a sentence: its place among the choices, and where in the sentence it begins."""

    choice: int
    start: int
    end: int


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


def leading_letter(text: str) -> str | None:
    """The option letter that a text begins with: "(B) 5", "B. 5", "B". Letters beyond the choices count, too."""
    match = _LEADING.match(text)
    return match[1].upper() if match else None


def after_letter(text: str) -> str:
    """What follows the letter that a text begins with: "5" of "(B) 5"."""
    match = _LEADING.match(text)
    return text[match.end() :].lstrip(".,:;) ") if match else text


def lone_letter(text: str, count: int) -> str | None:
    """The letter, in capitals, when a text is nothing else and it is one of that many options or already a capital."""
    match = _ALONE.fullmatch(text)
    if match is None or (match[1].islower() and ord(match[1]) - ord("a") >= count):
        return None
    return match[1].upper()


def called_letter(text: str, count: int) -> str | None:
    """The last letter, of that many options, in "B is correct" or "I choose B."."""
    found = [match[1] or match[2] or match[3] for match in _CALLED.finditer(text)]
    return next((letter for letter in reversed(found) if ord(letter) - ord("A") < count), None)


def parenthesised_letters(text: str) -> list[str]:
    """Every (A) of a text, in order."""
    return [letter.upper() for letter in _PARENTHESISED.findall(text)]


def named_letter(text: str) -> str | None:
    """The letter of "option B" or "choice (B)", the last one; a lower-case letter counts only in parentheses."""
    found = [match for match in _NAMED.finditer(text) if match[1].isupper() or "(" in match[0]]
    return found[-1][1].upper() if found else None


def lists_options(text: str) -> bool:
    """Does it list options by their letters, rather than choose one?"""
    return len(set(_LISTED.findall(text))) > 1


def same(text: str, choices: Sequence[str]) -> int | None:
    """The choice that a text is, in whatever notation; None if it is none of them or the choices do not differ."""
    said = canonical(text)
    equal = [place for place, choice in enumerate(choices) if canonical(choice) == said]
    if equal:
        return equal[0]
    number = only_number(said)
    return None if number is None else of_value(number.value, choices)


def of_value(value: float, choices: Sequence[str]) -> int | None:
    """The one choice that is this number, its unit aside."""
    numbers = [only_number(canonical(choice)) for choice in choices]
    near = [
        place
        for place, number in enumerate(numbers)
        if number is not None and math.isclose(number.value, value, rel_tol=1e-6, abs_tol=1e-9)
    ]
    return near[0] if len(near) == 1 else None


def mentions(sentence: str, choices: Sequence[str]) -> list[Mention]:
    """The choices whose words a sentence contains, in order of place; of overlapping ones the longest."""
    said = canonical(sentence)
    found: list[Mention] = []
    for place, choice in sorted(enumerate(map(canonical, choices)), key=lambda item: -len(item[1])):
        if not choice or (len(choice) == 1 and not choice.isdigit()):
            continue  # a single letter is an option's name or an article
        singular = choice not in said and len(choice) > 4 and choice.isalpha()
        words = choice.removesuffix("s") if singular else choice
        start = said.find(words)
        while start >= 0:
            end = start + len(words)
            end += int(words[-1].isalpha() and said[end : end + 1] == "s")  # a plural
            if _stands_alone(said, start, end) and not any(start < other.end and other.start < end for other in found):
                found.append(Mention(place, start, end))
            start = said.find(words, end)
    return sorted(found, key=lambda mention: mention.start)


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 2]
    number = text[start].isdigit() or text[start] in "√π-."
    if number and (before.isdigit() or (before and before in ".√/^*+-")):
        return False
    if text[end - 1].isdigit() and (after[:1].isdigit() or after[:1] in ("√", "π", "/", "^") or re.match(r"[.,:]\d", after)):
        return False
    both_words = text[start].isalpha() and before.isascii() and before.isalpha()
    return not both_words and not (
        text[end - 1].isalpha() and text[end - 1].isascii() and after[:1].isascii() and after[:1].isalpha()
    )
