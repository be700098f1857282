"""A question about a picture, with the answer that its facts give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a picture and its answer, in lower-case words; ``about`` describes the things that it asks of, in the
    domain's own way."""

    family: str
    text: str
    answer: str
    about: tuple[Any, ...] = ()
