"""Passes over the replies of a micro-batch: those of similar length are read together.

Behind shared prompts a reply costs only its own columns, so padding short replies to the longest would cost most of what sharing
saves: a policy that sometimes reasons and sometimes answers directly has replies of two lengths. A pass is padded to its own
longest reply. Each further pass costs time, too, whatever its size; :func:`passes` chooses those that cost least together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

PASS = 128
"""What a pass costs beside its columns, in columns, about: calling all layers once more takes nano as long as 43 of them on a
CPU, and small passes leave a GPU idle."""


class Pass(NamedTuple):
    """Replies that are read together.

    Attributes:
        rows: their places in the micro-batch.
        columns: what each of them is padded to, at least 1.
    """

    rows: list[int]
    columns: int


def passes(lengths: Sequence[int]) -> list[Pass]:
    """The passes over replies of these lengths, shortest first, whose columns and number cost least together.

    Exact: for sorted replies, the least cost of each beginning follows from those of shorter beginnings.
    """
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    bounds = [place for place, row in enumerate(order) if not place or lengths[row] != lengths[order[place - 1]]]
    bounds.append(len(order))
    found: list[list[Pass]] = [[]]
    costs = [0]
    for end in bounds[1:]:
        columns = max(1, lengths[order[end - 1]])
        cost, last = min((costs[place] + PASS + (end - bounds[place]) * columns, place) for place in range(len(costs)))
        costs.append(cost)
        found.append([*found[last], Pass(order[bounds[last] : end], columns)])
    return found[-1]


def in_number(own: Sequence[Pass], number: int) -> list[Pass]:
    """Those passes and, until there are ``number``, further ones over the shortest reply, whose scores nobody asks for.

    Processes that share out layers gather them together, so that all need equally many passes.
    """
    return [*own, *[Pass(own[0].rows[:1], own[0].columns)] * (number - len(own))]


def padded_size(own: Sequence[Pass]) -> int:
    """Columns of all passes, padding included."""
    return sum(len(rows) * columns for rows, columns in own)
