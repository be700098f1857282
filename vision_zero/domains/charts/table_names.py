"""What the names in a table say: units in headers, sums and means, columns that only number or code the rows."""

from __future__ import annotations

import re

from vision_zero.text import single_line

_TOTAL = re.compile(
    r"(?:grand |sub-?\s?)?totals?[:.]?|total g[ée]n[ée]ral|totals?\s*[,:(–—-].*|(?:.*\S\s)?(?:grand |sub-?)total"
    r"|sum|overall|all|all \(.*\)|(?:summe )?(?:insgesamt|gesamt)|summe(?: gesamt)?|suma"
    r"|totale|totaal|totalt|razem|celkem|yhteensä|toplam|jumlah|합계|총계|소계|итого|всего"
    r"|合[计計]|[总總総][计計数]|小[计計]|共[计計]|المجموع|الإجمالي|مجموع|कुल|योग|tổng(?: cộng)?"
    r"|(?:.*\S\s)?(?:averages?|mean|median|durchschnitt|mittelwert)|avg\.?|ø(?:\s.*)?"
    r"|moyenne|promedio|média|media|среднее|平均[值値]?|평균",
    re.IGNORECASE,
)
_SUM_WORD = re.compile(r"\b(?:totals?|sum|all|overall|gesamt|insgesamt|summe|suma|combined)\b", re.IGNORECASE)
COUNTING = frozenset(
    ("", "#", "no", "no.", "nr", "nr.", "rank", "ranking", "position", "pos", "pos.", "place", "platz", "rang", "index", "id")
)
"""Headers of first columns that number the rows."""
RANKS = frozenset(("#", "rank", "ranking", "platz", "rang"))
_CODES = re.compile(r"(?:.*\b)?(?:codes?|iso ?[\d-]*|ids?|uuid|key|fips|m49|zip|plz|ags|nuts ?\d?)", re.IGNORECASE)
_HEADER_UNIT = re.compile(
    r"(?P<name>.*?)\s*(?:[(\[](?P<unit>[^()\[\]]+)[)\]]|,?\s+in\s+(?P<words>\S.*)|(?:,|\s/)\s+(?P<apart>[^,]+)|(?P<sign>%))\s*"
)
_WORDS = frozenset(
    "percent % ‰ kg g mg µg μg ug ng t kt mt lb lbs oz ton tons tonne tonnes m cm mm km nm mi mile miles ft in inch "
    "inches yd l ml hl gal gallons ha acre acres s ms min h hr hrs hour hours minutes seconds day days week weeks "
    "month months year years °c °f k w kw mw gw tw wh kwh mwh gwh twh j kj mj gj pj cal kcal kv ma mah hz khz mhz "
    "ghz db dba lm lx pa hpa kpa mpa bar psi kn mol mmol co2 co2e co2eq tco2 tco2e co₂ co₂e kb mb gb tb bit mbit/s "
    "mbps gbps kmh mph rpm ppm ppb pp points usd eur gbp chf jpy cny inr rub pln sek nok dkk cad aud krw brl dollar "
    "dollars euro euros pounds yen u.s. us thousand thousands million millions billion billions trillion mn mln mio "
    "bn bln mrd tn per capita person people inhabitants household".split()
)
_PART = re.compile(r"\s+|\s*[/·*]\s*|-(?=\w)")


def is_total(name: str) -> bool:
    """Whether a row or column of this name is the sum or mean of others."""
    return _TOTAL.fullmatch(name) is not None


def may_be_total(name: str) -> bool:
    """Whether the name has a word of sums, so that a row of that name is one if its numbers are."""
    return _SUM_WORD.search(name) is not None


def is_code(header: str) -> bool:
    """Whether a column of this header holds codes or keys of what the rows are."""
    return _CODES.fullmatch(single_line(header)) is not None


def name_and_unit(header: str) -> tuple[str, str]:
    """A column's name, and its unit where the header ends with one: "Weight (kg)", "Share in %", "Cost, US$"."""
    name = single_line(header)
    found = _HEADER_UNIT.fullmatch(name)
    unit = "" if found is None else (found["unit"] or found["words"] or found["apart"] or found["sign"] or "").strip()
    if found is None or not found["name"] or not is_unit(unit):
        return name, "%" if "%" in name else ""
    return found["name"].rstrip(" ,:"), "%" if unit.lower() == "percent" else unit


def is_unit(text: str) -> bool:
    """Whether a text is made of units alone: "kg", "US$ bn", "kWh/m²", "million U.S. dollars"."""
    parts = [re.sub(r"(?<=\w)[²³23]$", "", part.lower()) for part in _PART.split(text.removeprefix("in ")) if part]
    return bool(parts) and all(part in _WORDS or re.fullmatch(r"(?:\w{1,2})?[%$€£¥₹](?:\w{1,2})?", part) for part in parts)
