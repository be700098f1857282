"""Times as tables name their rows or columns: "2019", "FY19", "Sep 2015", "Jan-21", "Q1 2022", "2019/20", "05.01.2024"."""

from __future__ import annotations

import re
from collections.abc import Sequence

Moment = tuple[int, int, int]

YEAR = re.compile(r"(?:1[89]|20)\d\d")
_WITH_YEAR = re.compile(rf"(?:.*\s)?(?P<year>{YEAR.pattern})(?:\D.*)?", re.DOTALL)
_MONTHS = (
    "jan ene gen", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai mag", "jun juin giu", "jul juil lug", "aug aoû ago",
    "sep set", "oct okt ott", "nov", "dec dez dic déc",
)  # fmt: skip
_MONTH_OF = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})[^\W\d_]*"
_SHORT_OR_LONG = rf"'?(?P<year>{YEAR.pattern}|\d\d)"
_FORMS = tuple(
    re.compile(rf"\s*{pattern}\s*", re.IGNORECASE)
    for pattern in (
        rf"(?P<year>{YEAR.pattern})([-/.])(?P<number>\d{{1,2}})\2(?P<day>\d{{1,2}})(?:[T ]\d.*)?",
        rf"(?P<year>{YEAR.pattern})[-/.](?P<number>0[1-9]|1[0-2])",
        rf"(?P<year>{YEAR.pattern})\s?年\s?(?P<number>\d{{1,2}})\s?月(?:\s?(?P<day>\d{{1,2}})\s?日)?",
        rf"(?:(?P<day>\d{{1,2}})\W{{1,2}})?{_MONTH}\.?\W{{0,2}}{_SHORT_OR_LONG}",
        rf"{_MONTH}\.?\s(?P<day>\d{{1,2}}),?\s(?P<year>{YEAR.pattern})",
        rf"(?:[QH]|T)(?P<number>[1-4])\W{{0,2}}{_SHORT_OR_LONG}",
        rf"(?P<year>{YEAR.pattern})\W?[QH](?P<number>[1-4])",
        rf"(?P<number>[1-4])[QH]\W?{_SHORT_OR_LONG}",
        rf"[FC]Y\W?{_SHORT_OR_LONG}(?:[-/]\d\d)?",
    )
)
_DAY = re.compile(rf"\s*(?P<one>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark)(?P<year>{YEAR.pattern}|\d\d)\s*")


def moments(names: Sequence[str]) -> list[Moment] | None:
    """Year, month and day of each name, 0 where it gives none; None where one of them is no time.

    Of a day such as 05/01/2024 the month is first, unless points part it or a number above 12 tells otherwise.
    """
    days = [_DAY.fullmatch(name) for name in names]
    day_first = any(day and (int(day["one"]) > 12 or day["mark"] == ".") for day in days)
    found = []
    for name, day in zip(names, days, strict=True):
        if day:
            one, other = int(day["one"]), int(day["other"])
            moment: Moment | None = (_full(day["year"]), *((other, one) if day_first else (one, other)))
        else:
            moment = _moment(name)
        if moment is None:
            return None
        found.append(moment)
    return found


def forwards(names: Sequence[str], times: Sequence[Moment]) -> list[int]:
    """The places of the names in the order of their times; of equal ones as they stand, or backwards where the table is so."""
    places = list(range(len(names)))
    return sorted(places[::-1] if times and times[0] > times[-1] else places, key=times.__getitem__)


def _moment(name: str) -> Moment | None:
    for form in _FORMS:
        if found := form.fullmatch(name):
            parts = found.groupdict()
            month = _MONTH_OF[parts["month"].lower()] if parts.get("month") else int(parts.get("number") or 0)
            return _full(parts["year"]), month, int(parts.get("day") or 0)
    found = _WITH_YEAR.fullmatch(name)
    return (int(found["year"]), 0, 0) if found else None


def _full(year: str) -> int:
    number = int(year)
    return number if number > 99 else 2000 + number if number < 70 else 1900 + number
