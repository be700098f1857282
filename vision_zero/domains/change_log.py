"""Does the change log tell the truth? What the domains' checks of it have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from vision_zero.data.image_pair import ImagePair
from vision_zero.errors import PairsError


def log_fault(check: Callable[[ImagePair], str], pair: ImagePair) -> str | None:
    """What the log says wrongly, in one line, by a domain's check against the facts of the pair; None where it is true."""
    try:
        return check(pair) or None
    except (PairsError, KeyError, TypeError, ValueError) as error:
        return f"its facts cannot be read: {error}"


def disagreement(found: Counter[Any], logged: Counter[Any], where: str) -> str:
    """How what was found and what the log says differ, by the first thing that only one of them has; empty where they agree."""
    for wrong, words in (
        (logged - found, "the log names a change that the {} does not show"),
        (found - logged, "the {} differs where the log says nothing"),
    ):
        if wrong:
            entry = next(iter(wrong))
            parts = entry if isinstance(entry, tuple) else (entry,)
            return f"{words.format(where)}: {' → '.join(map(str, parts))}"
    return ""
