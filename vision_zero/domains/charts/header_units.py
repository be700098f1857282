"""A column's name and unit, as headers give them: "Weight (kg)", "Share in %", "Cost, US$", "Temp °C", "人口（万人）"."""

from __future__ import annotations

import re

from vision_zero.domains.charts.number_formats import PERCENT
from vision_zero.text import single_line

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
