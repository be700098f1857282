"""MathVista's scoring (Lu et al., 2024, released evaluation): an extracted answer is normalised and then compared as text.

Two things differ from the released script: a precision that came through a table as ``1.0`` works, and texts of more than
``LONGEST`` characters are cut before their edit distance is taken, which bounds the time that one reply can cost.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from vision_zero.evaluation.benchmarks.json_files import absent

LONGEST = 2_000
"""Characters of an extraction that are compared with the choices."""
GROUPS = ("question_type", "answer_type", "language", "source", "category", "task", "context", "grade", "skills")
"""The breakdowns of the official score file, in its order."""

_LETTER = re.compile(r"\(([a-zA-Z])\)")


def normalised(extraction: Any, choices: Sequence[str], question_type: str, answer_type: str, precision: Any) -> str | None:
    """An extraction in the form of the annotated answers, by the published rule.

    Multiple choice: a letter, bare or as in "(A) text", becomes its choice; anything else the choice with the smallest edit
    distance. Integers lose their decimals, floats are rounded to the precision, lists stay text. None if that is impossible.
    """
    if question_type == "multi_choice" and choices:
        text = ("" if absent(extraction) else str(extraction)).strip()
        letters = _LETTER.findall(text)
        text = letters[0].upper() if letters else text
        place = ord(text) - ord("A") if len(text) == 1 else -1
        return choices[place] if 0 <= place < len(choices) else nearest(text, choices)
    if answer_type == "list":
        return None if absent(extraction) else str(extraction)
    try:
        value = float(extraction)
        if answer_type == "float":
            return str(round(value, 0 if absent(precision) else int(precision)))
        return str(int(value)) if math.isfinite(value) else None
    except (TypeError, ValueError):
        return None


def is_right(prediction: str | None, answer: str) -> bool:
    """Is a normalised extraction the annotated answer, character by character?"""
    return prediction is not None and prediction == answer


def nearest(text: str, choices: Sequence[str]) -> str:
    """The choice with the smallest edit distance (Levenshtein, 1966); of several the first."""
    return min(choices, key=lambda choice: edit_distance(text[:LONGEST], choice[:LONGEST]))


def edit_distance(one: str, other: str) -> int:
    """Insertions, deletions and replacements of single characters that turn one text into the other."""
    row = list(range(len(other) + 1))
    for number, character in enumerate(one, start=1):
        diagonal, row[0] = row[0], number
        for place, wanted in enumerate(other, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (character != wanted))
    return row[-1]
