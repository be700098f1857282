r"""Numbers in prose: 1,234.5, -3, 3/4, \frac{3}{4}, 1 1/2, ½, 2.5e-3, 2.5 \times 10^{-3}, 40 %, 6√2, 3π, and twenty-one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

_FRACTIONS = {
    "½": 1 / 2,
    "¼": 1 / 4,
    "¾": 3 / 4,
    "⅓": 1 / 3,
    "⅔": 2 / 3,
    "⅕": 1 / 5,
    "⅖": 2 / 5,
    "⅗": 3 / 5,
    "⅘": 4 / 5,
    "⅛": 1 / 8,
}
_ONES = "zero one two three four five six seven eight nine ten eleven twelve".split()
_ONES += "thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: value for value, word in enumerate(_ONES)} | {word: 20 + 10 * place for place, word in enumerate(_TENS)}
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

# A digit string is bounded, so that a reply of a million digits costs no more than one of a million letters.
_DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,8}(?!\d)(?:\.\d{1,40})?|\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})"
_NUMBER = re.compile(
    rf"(?P<sign>(?:(?<=[\s=(\[,:${{≈])|^)-(?=[\d.$\\½¼¾]))?\$?(?<![A-Za-z0-9_])(?<!\d[.])(?:"
    rf"(?P<times>{_DIGITS})?(?P<radical>\s?(?:√|\\sqrt)\s?)[{{(]?\s?(?P<root>{_DIGITS})\s?[}})]?"
    rf"|(?P<circles>{_DIGITS})\s?\*?\s?(?:π|\\pi\b)"
    rf"|\\[dt]?frac\s?\{{\s?(?P<top>-?\d{{1,12}})\s?\}}\s?\{{\s?(?P<bottom>\d{{1,12}})\s?\}}"
    rf"|(?P<whole>\d{{1,4}}) (?P<part>\d{{1,3}})/(?P<parts>\d{{1,3}})(?![\d/])"
    rf"|(?P<digits>{_DIGITS})(?!\d)(?:\s?/\s?(?P<divisor>\d{{1,12}})(?![\d/]|\.\d)"
    rf"|\s?(?:e|\*\s?10\s?\^|x\s?10\s?\^|×\s?10\s?\^|\\times\s?10\s?\^|\\cdot\s?10\s?\^)\s?\{{?(?P<power>[-+]?\d{{1,3}})\}}?)?"
    rf"|(?P<vulgar>[{''.join(_FRACTIONS)}]))",
    re.IGNORECASE,
)
_BELOW_100 = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES[1:10])})\b)?|(?:{'|'.join(sorted(_ONES, key=len, reverse=True))})\b)"
)
_BELOW_1000 = rf"{_BELOW_100}(?:\shundred\b(?:\s(?:and\s)?{_BELOW_100})?)?"
_WORDS = re.compile(
    rf"\b(?P<high>{_BELOW_1000})(?:\s(?P<scale>{'|'.join(_SCALES)})\b(?:,?\s(?:and\s)?(?P<low>{_BELOW_1000}))?)?", re.IGNORECASE
)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:\b(?:step|fig(?:ure)?|table|equation|eq|question|example|case|option|part|chapter|message|problem|method|round|no)\.?\s?#?"
    r"|[∠#^_]|\\angle\s?)\{?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its place in the text.

    Attributes:
        text: as a plain decimal, ``-0.75``; what the official scoring's ``float`` reads.
        value: the same as a float; finite.
        start: where it begins; ``end`` is the character after it.
        is_word: it was spelled out.
    """

    text: str
    value: float
    start: int
    end: int
    is_word: bool = False


def numbers_in(text: str) -> list[Number]:
    """All numbers of a text in order of their place, but for ordinals (3rd) and labels (step 3, figure 3, ∠3)."""
    digits = list(_numerals(text))
    taken = [(number.start, number.end) for number in digits]
    words = [word for word in _words(text) if not any(start < word.end and word.start < end for start, end in taken)]
    return sorted(digits + words, key=lambda number: number.start)


def decimal(value: float) -> str:
    """A finite float as text without an exponent where that is short: ``5``, ``0.25``."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def only_number(text: str) -> Number | None:
    """The number that is all of a text but for a currency, a unit of one word, and punctuation; None if there is more."""
    found = numbers_in(text)
    if len(found) != 1:
        return None
    before, after = text[: found[0].start].strip(" $€£≈=~("), text[found[0].end :].strip(" .,)!")
    return found[0] if not before and re.fullmatch(r"[^\W\d_]{0,12}[²³23]?|%|°|\$|\^?\{?\\circ\}?", after) else None


def _numerals(text: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(text):
        if _ORDINAL.match(text, match.end()) or _labels(text, match.start()):
            continue
        value = _value(match)
        if value is None or not math.isfinite(value):
            continue
        plain = match["digits"] and not match["divisor"] and not match["power"]
        sign = "-" if match["sign"] else ""
        written = f"{sign}{_written(match['digits'])}" if plain else decimal(value)
        yield Number(written, value, match.start(), match.end())


def _written(digits: str) -> str:
    """Without separators of thousands, and with a digit before the point."""
    return f"0{digits}" if digits.startswith(".") else digits.replace(",", "")


def _labels(text: str, end: int) -> bool:
    """Is what ends there a label of the number that follows? The last character alone mostly says no."""
    last = text[end - 1 : end]
    return (last.isalpha() or last in (" ", ".", "#", "∠", "^", "_", "{")) and bool(_LABEL.search(text, max(0, end - 16), end))


def _value(match: re.Match[str]) -> float | None:
    over, under = _irrational(match) if match["root"] or match["circles"] else _ratio(match)
    return (-over if match["sign"] else over) / under if under else None


def _irrational(match: re.Match[str]) -> tuple[float, int]:
    if match["root"]:
        return _float(match["times"] or "1") * math.sqrt(_float(match["root"])), 1
    return _float(match["circles"]) * math.pi, 1


def _ratio(match: re.Match[str]) -> tuple[float, int]:
    """Numerator and denominator."""
    if match["top"]:
        return int(match["top"]), int(match["bottom"])
    if match["whole"]:
        return int(match["whole"]) * int(match["parts"]) + int(match["part"]), int(match["parts"])
    if match["vulgar"]:
        return _FRACTIONS[match["vulgar"]], 1
    return _float(f"{match['digits']}e{match['power'] or 0}"), int(match["divisor"] or 1)


def _float(digits: str) -> float:
    return float(digits.replace(",", ""))


def _words(text: str) -> Iterator[Number]:
    for match in _WORDS.finditer(text):
        value = _below_1000(match["high"]) * _SCALES.get((match["scale"] or "").lower(), 1) + _below_1000(match["low"] or "")
        yield Number(str(value), float(value), match.start(), match.end(), is_word=True)


def _below_1000(words: str) -> int:
    hundreds, separator, rest = re.sub(r"[\s-]+(?:and\s)?", " ", words.lower()).rpartition("hundred")
    high, low = (sum(_VALUES.get(word, 0) for word in part.split()) for part in (hundreds, rest))
    return 100 * high + low if separator else low
