"""What can be said of a scene in the embedded policy's English, and whether it is true.

A statement is written by :meth:`text`, read back by :func:`parse`, and judged against CLEVR scene JSON by :meth:`holds`.
Scripted players, the warm start, clue truthfulness and the scene questions all speak through this module.

    thing     a large red metal cube · a small thing               at least one object fits
    count     two red things · no spheres                          exactly so many objects fit
    relation  a red cube left of a small sphere                    some fitting object stands on that side of a fitting other
    both      a red cube and two spheres                           every part is true
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from vision_zero.domains.scenes.scene import COLORS, MATERIALS, SHAPES, SIZES, VALUES, Color, Material, Shape, Size

SceneFacts = Mapping[str, Any]
"""One entry of CLEVR's scenes list, as made by :func:`clevr.to_clevr`."""

Side = Literal["left", "right", "front", "behind"]
NO_FACTS: SceneFacts = {"objects": [], "relationships": {"left": [], "right": [], "front": [], "behind": []}}
"""What is true of an empty image."""
SIDES: tuple[Side, ...] = get_args(Side)
SIDE_WORDS: Mapping[Side, str] = {"left": "left of", "right": "right of", "front": "in front of", "behind": "behind"}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True)
class Query:
    """A description that an object fits or not; None leaves an attribute open."""

    size: Size | None = None
    color: Color | None = None
    material: Material | None = None
    shape: Shape | None = None

    def fits(self, item: Mapping[str, Any]) -> bool:
        return all(getattr(self, key) in (None, item[key]) for key in VALUES)

    def noun(self, plural: bool = False) -> str:
        """The description without article: "small red things"."""
        words = [word for word in (self.size, self.color, self.material) if word]
        return " ".join([*words, (self.shape or "thing") + ("s" if plural else "")])

    def matches(self, facts: SceneFacts) -> list[int]:
        """Indices of the objects that fit."""
        return [index for index, item in enumerate(facts["objects"]) if self.fits(item)]


@dataclass(frozen=True, slots=True)
class Thing:
    """There is at least one such object."""

    query: Query

    def text(self) -> str:
        return f"a {self.query.noun()}"

    def holds(self, facts: SceneFacts) -> bool:
        return bool(self.query.matches(facts))


@dataclass(frozen=True, slots=True)
class Count:
    """There are exactly ``number`` such objects."""

    number: int
    query: Query

    def text(self) -> str:
        return f"{NUMBERS[self.number]} {self.query.noun(plural=self.number != 1)}"

    def holds(self, facts: SceneFacts) -> bool:
        return len(self.query.matches(facts)) == self.number


@dataclass(frozen=True, slots=True)
class Relation:
    """Some fitting object stands on that side of some other fitting object, by CLEVR's ``relationships``."""

    query: Query
    side: Side
    other: Query

    def text(self) -> str:
        return f"a {self.query.noun()} {SIDE_WORDS[self.side]} a {self.other.noun()}"

    def holds(self, facts: SceneFacts) -> bool:
        standing = facts["relationships"][self.side]
        subjects = set(self.query.matches(facts))
        return any(subjects.intersection(standing[anchor]) for anchor in self.other.matches(facts))


Single = Thing | Count | Relation
"""A statement without parts."""


@dataclass(frozen=True, slots=True)
class Both:
    """Several statements at once."""

    parts: tuple[Single, ...]

    def text(self) -> str:
        return _AND.join(part.text() for part in self.parts)

    def holds(self, facts: SceneFacts) -> bool:
        return all(part.holds(facts) for part in self.parts)


Statement = Single | Both
"""Something said of a scene that is true or false there."""


def parts_of(statement: Statement) -> tuple[Single, ...]:
    """The single statements that a clue makes, each judged by itself."""
    return statement.parts if isinstance(statement, Both) else (statement,)


_AND = " and "
_NOUN = rf"(?:({'|'.join(SIZES)}) )?(?:({'|'.join(COLORS)}) )?(?:({'|'.join(MATERIALS)}) )?({'|'.join(SHAPES)}|thing)"
_THING = re.compile(rf"an? {_NOUN}")
_COUNT = re.compile(rf"({'|'.join(NUMBERS)}) {_NOUN}(s?)")
_RELATION = re.compile(rf"an? {_NOUN} ({'|'.join(SIDE_WORDS.values())}) an? {_NOUN}")
_SIDE_OF = {words: side for side, words in SIDE_WORDS.items()}


def parse(text: str) -> Statement | None:
    """The statement that ``text`` makes, or None if it is not in this language. Case, spaces and a final stop are free."""
    plain = " ".join(text.lower().split()).rstrip(" .")
    parts = [_single(part) for part in plain.split(_AND)]
    if len(parts) == 1:
        return parts[0]
    known = tuple(part for part in parts if part is not None)
    return Both(known) if len(known) == len(parts) else None


def _single(plain: str) -> Single | None:
    if match := _THING.fullmatch(plain):
        return Thing(_query(*match.groups()))
    if match := _COUNT.fullmatch(plain):
        number, *attributes, plural = match.groups()
        return Count(NUMBERS.index(number), _query(*attributes)) if bool(plural) == (number != "one") else None
    if match := _RELATION.fullmatch(plain):
        groups = match.groups()
        return Relation(_query(*groups[:4]), _SIDE_OF[groups[4]], _query(*groups[5:]))
    return None


def _query(size: Any, color: Any, material: Any, shape: Any) -> Query:
    return Query(size, color, material, None if shape == "thing" else shape)
