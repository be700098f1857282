"""Round numbers for axes, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from vision_zero.domains.charts.chart import Range

MOST_STEPS = 6
LEAST_FIXED, MOST_FIXED = 1e-4, 1e12
"""Numbers from the one to below the other are written without a power of ten."""
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


def nice_range(low: float, high: float) -> Range:
    """The narrowest range between multiples of a round step that holds low and high in at most six steps."""
    width = high - low if high > low else abs(high) or 1.0
    for step in _steps_from(width / MOST_STEPS):
        start, end = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        if end <= start:
            end = start + step
        if round((end - start) / step) <= MOST_STEPS:
            return (_clean(start, step), _clean(end, step))
    raise AssertionError("unreachable: a step as wide as the range always fits")


def ticks(axis: Range, most: int = MOST_STEPS) -> tuple[float, ...]:
    """Multiples of a round step within the axis, at most ``most`` steps of them."""
    low, high = axis
    for step in _steps_from((high - low) / most):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first <= most:
            return tuple(_clean(place * step, step) for place in range(first, last + 1))
    raise AssertionError("unreachable: a step as wide as the range always fits")


def number(value: float, decimals: int | None = None) -> str:
    """``value`` as charts write it: thousands apart, no more decimals than needed, or exactly ``decimals``.

    What would take more than twelve digits, or begins after the fourth decimal, is written with a power of ten: 1.2e-7.
    """
    if is_scientific(value):
        return _scientific(value)
    if decimals is None:
        decimals = decimals_of(value)
    return _fixed(value, decimals)


def numbers(values: Sequence[float]) -> list[str]:
    """Numbers along one axis: all with the same number of decimals, or all with powers of ten."""
    largest = max(values, key=abs, default=0.0)
    if is_scientific(largest):
        return [_scientific(value) if value else "0" for value in values]
    decimals = max(map(decimals_of, values), default=0)
    return [_fixed(value, decimals) for value in values]


def is_scientific(value: float) -> bool:
    """Is the number written with a power of ten?"""
    return value != 0 and not LEAST_FIXED <= abs(value) < MOST_FIXED


def decimals_of(value: float) -> int:
    """Decimals that the value needs, at most 6."""
    text = f"{value:.6f}".rstrip("0")
    return len(text.split(".")[1])


def precision_of(value: float) -> int:
    """The power of ten of the value's last digit, negated: 2 for 0.25, 8 for 1.2e-7, never below 0."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text.replace(",", "")) else text.lstrip("-")


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.5e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "\N{MINUS SIGN}")


def _steps_from(least: float) -> list[float]:
    power = math.floor(math.log10(least))
    steps = [factor * 10.0**exponent for exponent in range(power, power + 3) for factor in _ROUND]
    return [step for step in steps if step >= least * (1 - 1e-9)]


def _clean(value: float, step: float) -> float:
    """Without the dust of floating-point arithmetic; steps have at most two significant digits."""
    return round(value, max(0, 2 - math.floor(math.log10(step)))) + 0.0
