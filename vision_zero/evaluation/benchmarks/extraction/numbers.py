r"""Numbers in prose: 1,234.5, -3, 3/4, \frac{3}{4}, 1 1/2, 2½, 2.5e-3, 2.5 \times 10^{-3}, 40 %, 6√2, 3π, two thirds."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_VULGAR = "½¼¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve "
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()  # tried from the end: fourteen before four
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: value for value, word in enumerate(_ONES)} | {word: 20 + 10 * place for place, word in enumerate(_TENS)}
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_PARTS = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}

# A digit string is bounded, so that a reply of a million digits costs no more than one of a million letters.
_DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,8}(?!\d)(?:\.\d{1,40})?|\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})"
_MINUS = r"(?:(?<=[\s=(\[,:${≈])|^)-(?=[\d.$\\½¼¾])|(?<![\d)] )(?<![\w\d)])(?:(?:(?<=is )|(?<=[:=] )|^)minus|\bnegative)\s(?=\S)"
_NUMBER = re.compile(
    rf"(?i)(?P<sign>{_MINUS})?\$?(?<![A-Za-z0-9_])(?<!\d[.])(?:"
    rf"(?P<times>{_DIGITS})?(?P<radical>\s?(?:√|\\sqrt)\s?)[{{(]?\s?(?P<root>{_DIGITS})\s?[}})]?"
    rf"|(?P<circles>{_DIGITS})\s?\*?\s?(?:π|\\pi\b)"
    rf"|(?:(?P<mixed>\d{{1,4}})\s?)?\\[dt]?frac\s?(?:\{{\s?(?P<top>-?\d{{1,12}})\s?\}}\s?\{{\s?(?P<bottom>\d{{1,12}})\s?\}}"
    rf"|(?P<over>\d)(?P<under>\d))"
    rf"|(?P<whole>\d{{1,4}}) (?P<part>\d{{1,3}})/(?P<parts>\d{{1,3}})(?![\d/])"
    rf"|(?P<before>\d{{1,4}})?\s?(?P<vulgar>[{_VULGAR}])"
    rf"|(?P<digits>{_DIGITS})(?!\d)(?:\s?/\s?(?P<divisor>\d{{1,12}})(?![\d/]|\.\d)"
    rf"|\s?(?:e|\*\s?10\s?\^|x\s?10\s?\^|×\s?10\s?\^|\\times\s?10\s?\^|\\cdot\s?10\s?\^)\s?\{{?(?P<power>[-+]?\d{{1,3}})\}}?)?)"
)
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES[1:10])})\b)?|(?:{'|'.join(_ONES[::-1])})\b)"
_BELOW_1000 = rf"{_BELOW_100}(?:\shundred\b(?:\s(?:and\s)?{_BELOW_100})?)?"
_WORDS = re.compile(
    rf"(?i)(?P<sign>(?:^minus|(?<=is )minus|\bnegative)\s)?\b(?P<high>{_BELOW_1000})(?:(?P<half>\sand\sa\shalf\b)"
    rf"|[\s-](?P<parts>{'|'.join(_PARTS)})s?\b|\s(?P<scale>{'|'.join(_SCALES)})\b(?:,?\s(?:and\s)?(?P<low>{_BELOW_1000}))?)?"
)
_RATIOS = (("top", "bottom"), ("over", "under"), ("part", "parts"), ("digits", "divisor"))
_THOUSANDS = re.compile(r"\W{0,4}\d{1,3}(?: \d{3}){1,8}\W{0,4}")
_COMMA = re.compile(r"^(\W{0,4}\d{1,3}(?:\.\d{3})+|\W{0,4}\d{1,9}),(\d{1,2}\W{0,4})$")
_BEFORE = re.compile(
    r"(?i)[\s$€£¥₹≈=~(\[\"'+*]{0,8}(?:Rs\.\s?"
    r"|(?:(?-i:[A-Z]{3}|US)|[a-z]|approximately|about|around|roughly|only|exactly)\b[\s$=≈]{0,4})?"
)
_UNIT = re.compile(
    r"[\s$}~]{0,4}(?:%|°|\$|\^?\{?\\circ\}?|[€£¥元米度]|[^\W\d_]{0,12}(?:[\s/-][^\W\d_]{1,12}){0,2})"
    r"(?:\^?\{?[²³23]\}?)?\s?(?:[CF]\b)?[\s$})\].,!?\"'*]{0,8}"
)
_ORDINAL = re.compile(r"(?i)(?:st|nd|rd|th)\b")
_LABEL = re.compile(
    r"(?i)(?:\b(?:step|fig(?:ure)?|table|equation|eq|question|example|case|option|part|chapter|message|problem|method|round|no)\.?\s?#?"
    r"|[∠#^_]|\\angle\s?)\{?$"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its place in the text; ``text`` is a plain decimal, what ``float`` reads, and the value is finite."""

    text: str
    value: float
    start: int
    end: int
    is_word: bool = False


def numbers_in(text: str) -> list[Number]:
    """All numbers of a text in order of their place, but for ordinals (3rd) and labels (step 3, figure 3, ∠3)."""
    digits = list(_numerals(text))
    starts = {number.start for number in digits}  # a numeral that overlaps words begins after a sign that is one
    words = [word for word in _words(text) if word.start not in starts]
    return sorted(digits + words, key=lambda number: number.start)


def decimal(value: float) -> str:
    """A finite float as text without an exponent where that is short: ``5``, ``0.25``."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def only_number(text: str) -> Number | None:
    """The number that is all of a text but for currency, unit and punctuation; "1 234" and "2,5" are one where they are alone."""
    if len(text) > 100:
        return None
    comma = _COMMA.match(text)
    text = f"{comma[1].replace('.', '')}.{comma[2]}" if comma else text
    text = text.replace(" ", "") if _THOUSANDS.fullmatch(text) else text
    found = numbers_in(text)
    if not found or (len(found) > 1 and not _same_again(found, text)):
        return None
    before, after = text[: found[0].start], text[found[-1].end :]
    number = found[-1] if "=" in text[found[0].end :] else found[0]
    return number if _BEFORE.fullmatch(before) and _UNIT.fullmatch(after) else None


def _same_again(found: list[Number], text: str) -> bool:
    """Is it one number in two ways: "5 (five)", "3/4 (0.75)", "66.67% (2/3)"?"""
    one, other = found[0], found[1]
    between = text[one.end : other.start]
    near = any(math.isclose(one.value, other.value * scale, rel_tol=5e-3) for scale in (1, 100, 0.01))
    return len(found) == 2 and near and bool(re.fullmatch(r"\s?%?\s?(?:\(|=|≈|or|,? ?i\.e\.,?)\s?", between))


def _numerals(text: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(text):
        if _ORDINAL.match(text, match.end()) or _LABEL.search(text, max(0, match.start() - 16), match.start()):
            continue
        value = -_value(match) if match["sign"] else _value(match)
        if math.isfinite(value):
            plain = match["digits"] and not match["divisor"] and not match["power"]
            written = match["digits"].replace(",", "") if plain else decimal(value)
            written = f"0{written}" if written.startswith(".") else written
            yield Number(f"-{written}" if plain and match["sign"] else written, value, match.start(), match.end())


def _value(match: re.Match[str]) -> float:
    """The value without its sign; NaN where it divides by zero."""
    parts = {
        name: float(digits.replace(",", "")) for name, digits in match.groupdict().items() if digits and digits[-1].isdecimal()
    }
    if "root" in parts:
        return parts.get("times", 1.0) * math.sqrt(parts["root"])
    if match["circles"]:
        return parts["circles"] * math.pi
    if match["vulgar"]:
        return parts.get("before", 0.0) + unicodedata.numeric(match["vulgar"])
    if match["power"]:
        return float(f"{match['digits'].replace(',', '')}e{match['power']}")
    over, under = next((parts[over], parts.get(under, 1.0)) for over, under in _RATIOS if over in parts)
    return parts.get("mixed", parts.get("whole", 0.0)) + over / under if under else math.nan


def _words(text: str) -> Iterator[Number]:
    for match in _WORDS.finditer(text):
        whole = _below_1000(match["high"]) * _SCALES.get((match["scale"] or "").lower(), 1) + _below_1000(match["low"] or "")
        size = whole / _PARTS.get((match["parts"] or "").lower(), 1) + (0.5 if match["half"] else 0)
        yield Number(decimal(value := -size if match["sign"] else size), value, match.start(), match.end(), is_word=True)


def _below_1000(words: str) -> int:
    hundreds, separator, rest = re.sub(r"[\s-]+(?:and\s)?", " ", words.lower()).rpartition("hundred")
    high, low = (sum(_VALUES.get(word, 0) for word in part.split()) for part in (hundreds, rest))
    return 100 * high + low if separator else low
