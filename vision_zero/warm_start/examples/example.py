"""A lesson, and how lessons of several topics are mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt about one picture and the answer to learn; ``topic`` names the skill in tables of progress."""

    topic: str
    prompt: str
    answer: str


def form(reasoned: bool) -> str:
    """The name of an answer's form, for tables of progress."""
    return "reasoned" if reasoned else "direct"


def pick_topic(weights: Mapping[T, float], rng: np.random.Generator) -> T:
    """One of the names, as often as its weight says."""
    names = list(weights)
    shares = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]
