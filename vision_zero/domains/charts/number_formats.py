"""Numbers as people write them in tables: decimal commas, grouped digits, currencies, magnitudes, units, footnotes.

Whether a comma is a decimal mark is decided for a whole table: "1,234" alone may be either, "0,5" beside it settles it. What a
header says of its column's unit is read here, too: "Weight (kg)", "Share in %", "Cost, US$", "Temp °C", "人口（万人）".
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from vision_zero.text import single_line

DecimalMark = Literal[".", ","]

LARGEST, SMALLEST = 1e100, 1e-100
"""Beyond these, arithmetic on axes would overflow."""
_CURRENCY = (
    r"[A-Z]{1,2}\$|USD|EUR|GBP|CHF|JPY|CNY|INR|AED|ARS|AUD|BRL|CAD|CLP|COP|CZK|DKK|EGP|HKD|HUF|IDR|ILS|KES|KRW|MXN|MYR|NGN|NOK"
    r"|NZD|PHP|PKR|PLN|RMB|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|VND|ZAR|Rs\.?|Rp\.?|RM|kr\.?|Fr\.|[$€£¥₹₩₽₺₫₴₦₱฿]"
)
_REMARK = (
    r"\[\w+\]|\((?:e|est\.?|p|f|r|prelim\.?|[^()]*\d[^()]*)\)|±\s?\d[\d.,]*\s?%?|[*†‡]"
    r"|(?<=\d)[⁰¹²³⁴⁵⁶⁷⁸⁹ᵃ-ᵛ]+|est\.|prov\.|prelim\."
)
"""What follows a number and its unit and is neither: a footnote, a deviation, another number in parentheses ("12 (4%)")."""
_CELL = re.compile(
    rf"(?P<about>[~≈∼]|ca\.?|c\.|approx\.?|about)?\s*(?P<open>\()?\s*(?P<sign>[-+])?\s*(?P<money>{_CURRENCY})?\s*(?P<late>[-+])?\s*"
    r"(?P<body>(?:\d[\d.,' ]*\d|\d|[.,]\d[\d]*))"
    r"(?P<power>e[-+]?\d+|\s*[x×·]\s*10\s?\^?\s?[-+]?\d+)?"
    rf"(?P<gap>\s*)(?P<unit>(?:[^\d()\[\]]|(?<=[A-Za-z])[23](?!\d))*?)\s*(?P<close>\))?\s*(?P<note>(?:\s*(?:{_REMARK}))*)",
    re.IGNORECASE,
)
_ALIKE = str.maketrans("\N{MINUS SIGN}\u2019\u066b\u066c\uffe5\uff04\uff0c\uff0e", "-'.,¥$,.")
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=\d)([.,])\s?[-–—]{1,2}(?!\d)"), r"\g<1>00"),  # a round price: "12,-"
    (re.compile(r"^–(?=\s?\d)"), "-"),
    (re.compile(r"^(\d[\d.,' ]*)-$"), r"-\1"),  # as accounting software writes losses
    (re.compile(rf"^({_CURRENCY})\s?\("), r"(\1"),  # "$(5)"
    (re.compile(r"\+/-"), "±"),
)
_FRACTION = re.compile(r"(\d*)\s?([\u00bc-\u00be\u2150-\u215e])")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER = re.compile(r"10([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_UNIT = re.compile(r"[^\W\d_%$€£¥₹°µ]{0,24}|[\w%‰$€£¥₹°µ²³/.·\s-]{1,24}")
_NOT_UNITS = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?|st|nd|rd|th|am|pm|[ap]\.m\.|-.*|.*-|/.*", re.IGNORECASE
)
_SCALES = {
    "thousand": 3, "thousands": 3, "thsd": 3, "million": 6, "millions": 6, "mn": 6, "mln": 6, "mio": 6, "billion": 9,
    "billions": 9, "bn": 9, "bln": 9, "mrd": 9, "trillion": 12, "trillions": 12, "tn": 12, "trn": 12, "lakh": 5, "crore": 7,
    "lakhs": 5, "crores": 7, "tsd": 3, "mill": 6, "millionen": 6, "milliarden": 9, "millones": 6, "milliards": 9,
    "тыс": 3, "млн": 6, "млрд": 9,
}  # fmt: skip
_LETTERS = {"k": 3, "K": 3, "M": 6, "B": 9, "T": 12}
"""Magnitudes where they touch the number: "3 m" is three metres, "3M" three million."""
_MYRIADS = {"千": 3, "万": 4, "萬": 4, "만": 4, "亿": 8, "億": 8, "억": 8, "兆": 12, "조": 12}
_MONEY_LETTERS = {**_LETTERS, "m": 6, "b": 9, "t": 12, "cr": 7, "Cr": 7}
PERCENT = re.compile(
    r"percent(?:age)?|per cent|pct\.?|prozent|pour ?cent|por ciento|por cento|procent|процент(?:а|ов)?", re.IGNORECASE
)
_PLAIN = re.compile(r"\d+")
_SPACES = re.compile(r"(?<=\d)[ '](?=\d{3}(?!\d))")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
_HEADER = re.compile(
    r"(?P<name>.*?)\s*(?:[(\[](?P<unit>[^()\[\]]+)[)\]]|,?\s+in\s+(?P<words>\S.*)|(?:,|\s/)\s+(?P<apart>[^,]+)"
    r"|(?P<sign>[%‰℃]|(?<=\s)°\s?[CF]))\s*"
)
_WIDE = str.maketrans("（）［］％", "()[]%")
_WORDS = frozenset(
    "percent % ‰ kg g mg µg μg ug ng t kt mt lb lbs oz ton tons tonne tonnes m cm mm km nm mi mile miles ft in inch "
    "inches yd l ml hl gal gallons ha acre acres s ms min h hr hrs hour hours minutes seconds day days week weeks "
    "month months year years °c °f ℃ k w kw mw gw tw wh kwh mwh gwh twh j kj mj gj pj cal kcal kv ma mah hz khz mhz "
    "ghz db dba lm lx pa hpa kpa mpa bar psi kn mol mmol co2 co2e co2eq tco2 tco2e co₂ co₂e kb mb gb tb bit mbit/s "
    "mbps gbps kmh mph rpm ppm ppb pp points usd eur gbp chf jpy cny inr rub pln sek nok dkk cad aud krw brl dollar "
    "dollars euro euros pounds yen u.s. us thousand thousands million millions billion billions trillion mn mln mio "
    "bn bln mrd tn lakh lakhs crore crores tsd millionen milliarden millones milliards per capita person people "
    "inhabitants household sq square cubic".split()
)
_PART = re.compile(r"\s+|\s*[/·*]\s*|-(?=\w)")
_MONEY = re.compile(r"(?:\w{1,2})?[%$€£¥₹₩₽₺₴₫฿](?:\w{1,2})?")
_EASTERN = re.compile(
    r"[十百千万萬亿億兆만억조]*(?:元|圆|円|人民币|[日美欧港]元|ドル|ユーロ|人次?|名|个|個|件|台|辆|吨|トン|(?:平方)?(?:公里|千?米)|公斤|千?克|度|歳|岁"
    r"|[年月日天分秒]|小?时|[时時][间間]|명|원|개|대|톤|달러)|[千万萬亿億兆만억조]"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell's number: its digits, not yet told which mark is the decimal one, and what stands around them."""

    digits: str
    negative: bool
    power: int
    unit: str

    @property
    def mark(self) -> DecimalMark | None:
        """The decimal mark, where the digits alone tell; of whole numbers and of "1,234" they do not."""
        text = self.digits
        if _INDIAN.fullmatch(text):
            return "."
        dots, commas = text.count("."), text.count(",")
        if dots and commas:
            return "." if text.rindex(".") > text.rindex(",") else ","
        if dots + commas == 0:
            return None
        own: DecimalMark = "." if dots else ","
        if dots + commas > 1:
            return "," if own == "." else "."
        before, _, after = text.partition(own)
        grouped = len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0")
        return None if grouped else own

    def value(self, mark: DecimalMark) -> float | None:
        """The number; None where the digits cannot be grouped so."""
        other = "," if mark == "." else "."
        whole, _, fraction = self.digits.partition(mark)
        if other in fraction or mark in fraction or not _is_grouped(whole, other):
            return None
        exact = Decimal(f"{whole.replace(other, '') or '0'}.{fraction or '0'}").scaleb(self.power)
        value = float(-exact if self.negative else exact)
        return value if not exact or (math.isfinite(value) and SMALLEST < abs(value) < LARGEST) else None


@dataclass(frozen=True, slots=True)
class Column:
    """The numbers of a column, None where a cell holds none, and the unit that they share."""

    values: tuple[float | None, ...]
    unit: str


def reading(cell: str) -> Reading | None:
    """What a cell says, or None where it is no number."""
    text = _POWER.sub(lambda found: "10^" + found[1].translate(_SUPERSCRIPTS), cell.strip())
    text = re.sub(r"[\u00a0\u2007\u2009\u202f]", " ", text).translate(_ALIKE)
    for pattern, replacement in _FORMS:
        text = pattern.sub(replacement, text)
    text = _FRACTION.sub(_as_decimal, text)
    found = _CELL.fullmatch(text)
    if found is None or bool(found["open"]) != bool(found["close"]) or (found["sign"] and found["late"]):
        return None
    digits = _SPACES.sub("", found["body"])
    if " " in digits or "'" in digits:
        return None
    money, unit = found["money"] or "", found["unit"].strip().removeprefix(".")
    power, unit = _scale(unit, bool(money), bool(found["gap"]))
    unit = "%" if PERCENT.fullmatch(unit) else unit
    if unit and (_NOT_UNITS.fullmatch(unit) or not _UNIT.fullmatch(unit)):
        return None
    if found["power"]:
        exponent = int(re.split(r"e|10\s?\^?\s?", found["power"], flags=re.IGNORECASE)[-1])
        if abs(exponent) > 400:
            return None
        power += exponent
    negative = "-" in (found["sign"], found["late"]) or bool(found["open"])
    return Reading(digits, negative, power, " ".join(part for part in (money, unit) if part))


def _as_decimal(found: re.Match[str]) -> str:
    """ "1½" as "1.5"; "⅓" has no more digits than are shown."""
    value = Decimal(found[1] or 0) + Decimal(repr(round(unicodedata.numeric(found[2]), 4)))
    return f"{value.normalize():f}"


def read_columns(columns: Sequence[Sequence[str]], prefers_comma: bool = False) -> list[Column]:
    """The columns of a table as numbers.

    Args:
        columns: cells by column.
        prefers_comma: a comma that may be either is a decimal mark, as in files whose cells are parted by ";".
    """
    readings = [[reading(cell) for cell in column] for column in columns]
    table_mark = _mark([found for column in readings for found in column], prefers_comma)
    return [_column(column, table_mark or _mark(column, prefers_comma)) for column in readings]


def _column(readings: Sequence[Reading | None], mark: DecimalMark | None) -> Column:
    units = Counter(found.unit for found in readings if found is not None)
    # A cell without a unit has that of its column; cells with another one cannot share its axis. What stands at few numbers is
    # a note, unless it is a currency or a per cent sign, which tables have at the first number of a column only.
    unit = next((unit for unit, _ in units.most_common() if unit), "")
    if units[unit] < 0.5 * units.total() and not re.match(rf"{_CURRENCY}|[%‰]", unit):
        unit = ""
    values = []
    for found in readings:
        own = None if found is None else mark or found.mark or ("." if _PLAIN.fullmatch(found.digits) else None)
        values.append(None if found is None or own is None or found.unit not in ("", unit) else found.value(own))
    return Column(tuple(values), unit)


def _mark(readings: Iterable[Reading | None], prefers_comma: bool) -> DecimalMark | None:
    """The decimal mark of those cells; None where they contradict each other."""
    cells = [found for found in readings if found is not None]
    marks = {found.mark for found in cells} - {None}
    if len(marks) == 2:
        return None
    if marks:
        return "," if "," in marks else "."
    return "," if prefers_comma and any("," in found.digits for found in cells) else "."


def _scale(unit: str, is_money: bool, is_apart: bool) -> tuple[int, str]:
    """The power of ten that a unit begins with, and the rest of it."""
    first, _, rest = unit.partition(" ")
    if unit[:1] in _MYRIADS:
        return _MYRIADS[unit[0]], unit[1:].strip()
    if first.lower().rstrip(".") in _SCALES:
        return _SCALES[first.lower().rstrip(".")], rest.strip()
    letters = _MONEY_LETTERS if is_money else _LETTERS if not is_apart else {}
    if first in letters:
        return letters[first], rest.strip()
    if len(first) > 1 and first[0] in letters and re.fullmatch(_CURRENCY, first[1:]):
        return letters[first[0]], unit[1:].strip()
    return 0, unit


def _is_grouped(whole: str, separator: str) -> bool:
    first, *groups = whole.split(separator)
    if not groups:
        return True
    between = {len(group) for group in groups[:-1]}
    return len(groups[-1]) == 3 and 1 <= len(first) <= 3 and (between <= {3} or between <= {2})


def name_and_unit(header: str) -> tuple[str, str]:
    """A column's name, and its unit where the header ends with one."""
    name = single_line(header)
    found = _HEADER.fullmatch(name.translate(_WIDE))
    unit = "" if found is None else (found["unit"] or found["words"] or found["apart"] or found["sign"] or "").strip()
    if found is None or not found["name"] or not is_unit(unit):
        return name, "%" if "%" in name or PERCENT.fullmatch(name) else ""
    name = name[: found.end("name")].rstrip(" ,:")
    inner, own = name_and_unit(name)  # "Low °C (°F)": the numbers are in the first
    return (inner, own) if inner != name else (name, "%" if PERCENT.fullmatch(unit) else unit)


def is_unit(text: str) -> bool:
    """Whether a text is made of units alone: "kg", "US$ bn", "Mrd. €", "kWh/m²", "million U.S. dollars", "亿元"."""
    parts = [re.sub(r"(?<=\w)[²³23]$", "", part.lower()) for part in _PART.split(text.removeprefix("in ")) if part]
    return PERCENT.fullmatch(text) is not None or (bool(parts) and all(map(_is_word, parts)))


def _is_word(part: str) -> bool:
    known = part in _WORDS or part.rstrip(".") in _WORDS
    return known or any(pattern.fullmatch(part) for pattern in (_MONEY, _EASTERN))
