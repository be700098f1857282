"""Reading lists of objects, "small red metal cube, large blue rubber sphere", and holding them against a scene."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.optimize import linear_sum_assignment

from vision_zero.domains.scenes.scene import VALUES

_ONE_OF_EACH = " ".join(f"({'|'.join(values)})" for values in VALUES.values())
LISTED = re.compile(rf"\b{_ONE_OF_EACH}\b")
"""An object with all its attributes, in their order."""
Words = list[str]


def listed(text: str) -> list[Words]:
    """The words of each object that a text names in full."""
    return [list(words) for words in LISTED.findall(text)]


def in_full(facts: Mapping[str, Any]) -> list[Words]:
    """The words of each object of a scene."""
    return [[item[key] for key in VALUES] for item in facts["objects"]]


def overlap(objects: Sequence[Words], said: Sequence[Words]) -> float:
    """Objects that were said with all attributes right, over the larger of what there is and what was said."""
    there, named = (Counter(map(tuple, words)) for words in (objects, said))
    return (there & named).total() / max(there.total(), named.total(), 1)


def matched(objects: Sequence[Words], said: Sequence[Words]) -> list[Words]:
    """For each object what was said of it: the matching in which most attributes agree; nothing for one left out."""
    nothing: Words = [""] * len(VALUES)
    options = [*said, *[nothing] * len(objects)]
    agreement = [[sum(map(operator.eq, item, words)) for words in options] for item in objects]
    _, columns = linear_sum_assignment(agreement, maximize=True)
    return [options[column] for column in columns]
