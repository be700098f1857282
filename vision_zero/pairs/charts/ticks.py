"""Round numbers for axes, and how numbers are written."""

from __future__ import annotations

import math

from vision_zero.pairs.charts.chart import Range

MOST_STEPS = 6
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
    """``value`` as charts write it: thousands apart, no more decimals than needed, or exactly ``decimals``."""
    if decimals is None:
        decimals = decimals_of(value)
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text.replace(",", "")) else text.lstrip("-")


def decimals_of(value: float) -> int:
    """Decimals that the value needs, at most 6."""
    text = f"{value:.6f}".rstrip("0")
    return len(text.split(".")[1])


def _steps_from(least: float) -> list[float]:
    power = math.floor(math.log10(least))
    return [
        factor * 10.0**exponent for exponent in range(power, power + 3) for factor in _ROUND if _at_least(factor, exponent, least)
    ]


def _at_least(factor: float, exponent: int, least: float) -> bool:
    return factor * 10.0**exponent >= least * (1 - 1e-9)


def _clean(value: float, step: float) -> float:
    """Without the dust of floating-point arithmetic; steps have at most two significant digits."""
    return round(value, max(0, 2 - math.floor(math.log10(step)))) + 0.0
