"""A training example, and mixing of topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt about one image with its answer; ``topic`` names the skill in logs."""

    topic: str
    prompt: str
    answer: str


def form(reasoned: bool) -> str:
    """The name of an answer's form, for logs."""
    return "reasoned" if reasoned else "direct"


def pick_topic(weights: Mapping[T, float], rng: np.random.Generator) -> T:
    """A random name, with probabilities proportional to the weights."""
    names = list(weights)
    shares = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]
