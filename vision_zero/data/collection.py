"""What a location holds, thing by thing (photos, images, pairs), and sources that make pairs of such things."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, Literal, Self, TypeVar

import numpy as np
from PIL import Image

from vision_zero.data.archives import FileSet
from vision_zero.data.image_identity import groups, place_key, reduced, same
from vision_zero.data.remote_storage import ConnectionLostError, Storage
from vision_zero.data.row_files import DOCUMENTS, Rows, table_paths
from vision_zero.data.source import PairSource
from vision_zero.data.source_report import SourceReport
from vision_zero.data.split_names import of_split, split_of_folder
from vision_zero.data.splits import SplitFilter
from vision_zero.errors import PairsError
from vision_zero.randomness import Seed
from vision_zero.text import well_formed

T = TypeVar("T")

TRIES = 1000
"""Draws after which a collection counts as broken."""
COMPARED = 1000
"""Up to so many things are all read and compared with each other before they are divided among the splits. Among more, a thing's
split follows from its group, or from its own coarse key alone: reading all would take hours."""


class Collection(ABC):
    """Things by place, from 0, known without reading them.

    Attributes:
        files: how many files there are.
        left_out: files and rows that are not read, by reason.
        problems: the reason for each thing of which the listing alone tells that it cannot be used, by id.
    """

    files: int = 0
    left_out: Mapping[str, int] = MappingProxyType({})
    problems: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, place: int) -> str:
        """The id of a thing."""

    def group(self, place: int) -> str | None:
        """What a thing shares with others, so that they belong to one split; None where nothing says so."""
        return None


class FileCollection(Collection):
    """Files of a location, the folders below it and its tar archives, of one split where folders name several."""

    def __init__(self, storage: Storage, split: str | None) -> None:
        self._files = FileSet(storage)
        found = self._files.paths if self._files.chosen is None else [self._files.chosen]
        self._paths, others = of_split(found, split, split_of_folder, storage.location, with_unnamed=True)
        self.files = len(storage.entries) if storage.chosen is None else 1
        self.left_out = {**storage.left_out, **self._files.left_out, **others}
        self.problems = {well_formed(path): reason for path, reason in self._files.problems.items()}

    def _leave_out(self, count: int, reason: str) -> None:
        if count:
            self.left_out = {**self.left_out, reason: count}

    def _seen(self) -> str:
        """What there is instead of what is looked for, for messages."""
        told = [f"{self.files} files", *(f"{count} {reason}" for reason, count in self.left_out.items())]
        told += [f"{path}: {reason}" for path, reason in itertools.islice(self.problems.items(), 1)]
        return f"; found: {', '.join(told)}"


class RowCollection(Collection):
    """Rows of a data set, of one split where there are several."""

    def __init__(self, rows: Rows) -> None:
        storage = rows.storage
        if not len(rows):
            raise PairsError(f"the data set in {storage.location} has no rows")
        self._rows = rows
        self.files, self.left_out = len(storage.entries), {**storage.left_out, **rows.left_out}

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, place: int) -> str:
        return well_formed(self._rows.name(place))


def rows_or_files(
    storage: Storage,
    layout: Literal["auto", "files", "table"],
    rows: Callable[[], T],
    files: Callable[[], T],
    count: Callable[[Sequence[str]], int],
    hint: str,
) -> T:
    """A location's data set, or its files. JSON and CSV files count as a data set where ``count`` finds nothing among the files.

    Args:
        count: how many things files of these paths are, by their names.
        hint: what to say of them where the data set cannot be read.

    Raises:
        PairsError: neither can be read.
    """
    if layout == "files" or (layout == "auto" and not _holds_table(storage, count)):
        return files()
    try:
        return rows()
    except ConnectionLostError:
        raise
    except PairsError as error:
        found = count(FileSet(storage).paths) if layout == "auto" and storage.chosen is None else 0
        if not found:
            raise
        raise PairsError(f"{error}; or set layout: files, for {hint.format(found)}") from error


def _holds_table(storage: Storage, count: Callable[[Sequence[str]], int]) -> bool:
    """Whether a location is a data set: the file that it names is, or there is one that can be nothing but rows."""
    paths, _ = table_paths(storage)
    # JSON and CSV lie beside images for many reasons.
    may_be_notes = storage.chosen is None and all(path.lower().endswith(DOCUMENTS) for path in paths)
    return bool(paths) and not (may_be_notes and count(FileSet(storage).paths))


@dataclass
class _Known:
    """What was found out about the things so far; shared by the views of all splits."""

    problems: dict[str, str]
    """The reason for every thing that cannot be used, by its id."""
    looked_at: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    keys: dict[int, bytes] = field(default_factory=dict)
    """What decides which split a thing belongs to where things are not compared."""
    compared: dict[int, bytes] | None = None
    """The same where they are: of all that can be used, once all were read."""


class CollectionSource(PairSource, Generic[T]):
    """Makes pairs of the things of a collection. Those that cannot be used are skipped, and the report says why.

    What a generator draws depends on the things alone, never on what was drawn before: a broken one is skipped whether or not
    that it is broken was known already. What shows the same belongs to one split, whatever its file's name, format or size.

    Args:
        collection: the things.
        location: where they are, for messages.
        only: the things that may be used.
    """

    things: str
    """What they are called in reports."""

    def __init__(self, collection: Collection, location: str, only: SplitFilter) -> None:
        self._collection, self._location, self._only = collection, well_formed(location), only
        self._known = _Known(dict(collection.problems))
        self._mine: set[int] | None = None
        self._turns: dict[str, tuple[list[int], Iterator[int]]] = {}

    @abstractmethod
    def _load(self, place: int) -> T:
        """The thing of a place.

        Raises:
            PairsError: it cannot be used.
        """

    @abstractmethod
    def _shown(self, thing: T) -> Sequence[Image.Image]:
        """The images of a thing; things that share an image belong to one split."""

    def of(self, only: SplitFilter) -> Self:
        view = copy(self)
        view._only, view._mine, view._turns = only, None, {}
        return view

    def report(self) -> SourceReport:
        return SourceReport(
            domain=self.domain,
            location=self._location,
            things=self.things,
            files=self._collection.files,
            found=len(self._collection) + len(self._collection.problems),
            incomplete=len(self._collection.problems),
            looks=len(self._known.looked_at),
            failures=len(self._known.broken),
            skipped={well_formed(name): well_formed(reason) for name, reason in self.problems.items()},
            left_out=dict(self._collection.left_out),
        )

    @property
    def problems(self) -> dict[str, str]:
        """The reason for every thing that was found unusable so far, by its id; ``check`` finds them all."""
        return dict(self._known.problems)

    def check(self) -> dict[str, str]:
        """Reads everything once; returns all problems."""
        for place in range(len(self._collection)):
            self._attempt(place)
        return self.problems

    def _pick(self, rng: np.random.Generator) -> tuple[int, T]:
        """A place, and its thing, drawn evenly among those that can be used.

        Raises:
            PairsError: nothing can be used.
            ConnectionLostError: something cannot be reached; that does not make it unusable.
        """
        for _ in range(TRIES):
            if len(self._known.broken) == len(self._collection):
                break
            place = int(rng.integers(len(self._collection)))
            if self._is_mine(place):
                thing = self._attempt(place)
                if thing is not None:
                    return place, thing
        problems = self._known.problems
        first = next(iter(problems.items()), None)
        reason = "there are none" if first is None else f"the first of {len(problems)} problems: {first[0]}: {first[1]}"
        whose = "" if self._only.split is None else f" that belongs to the {self._only.split.replace('_', '-')} pairs"
        raise PairsError(f"found no usable {self.things.removesuffix('s')} in {self._location}{whose}: {reason}")

    def _turn(self, number: int, order: Seed) -> tuple[int, T] | None:
        """The thing whose turn it is where things are taken in rounds: each once, shuffled anew, before any comes again.

        None where nothing can be used, or where there are too many things for rounds to matter.
        """
        if len(self._collection) > COMPARED:
            return None
        taken, rounds = self._turns.setdefault(order.digest(), ([], self._rounds(order)))
        taken += itertools.islice(rounds, max(0, number + 1 - len(taken)))
        thing = self._attempt(taken[number]) if number < len(taken) else None
        return None if thing is None else (taken[number], thing)

    def _rounds(self, order: Seed) -> Iterator[int]:
        """Places round by round, each time in another order; broken things have no turn."""
        places = [place for place in range(len(self._collection)) if self._is_mine(place)]
        for done in itertools.count():
            found = False
            for index in order.child("round", done).generator().permutation(len(places)):
                place = places[int(index)]
                # A part holds none that is broken.
                if self._only.split is not None or self._attempt(place) is not None:
                    found = True
                    yield place
            if not found:
                return

    def _usable(self) -> Iterator[tuple[int, T]]:
        """Every thing that can be used, with its place, once, in order."""
        for place in range(len(self._collection)):
            if self._is_mine(place):
                thing = self._attempt(place)
                if thing is not None:
                    yield place, thing

    def _attempt(self, place: int) -> T | None:
        """The thing of a place; None, and remembered with the reason, where it cannot be used."""
        if place in self._known.broken:
            return None
        try:
            thing = self._load(place)
        except ConnectionLostError:
            raise
        except PairsError as error:
            self._known.looked_at.add(place)
            self._known.broken.add(place)
            self._known.problems[self._collection.name(place)] = str(error)
            return None
        self._known.looked_at.add(place)
        return thing

    def _is_mine(self, place: int) -> bool:
        """Whether the thing belongs to the splits that are used; what cannot be read belongs to none."""
        if self._only.split is None:
            return True
        if len(self._collection) > COMPARED:
            key = self._key(place)
            return key is not None and self._only.holds(key)
        if self._mine is None:
            if self._known.compared is None:
                self._known.compared = self._compare()
            keys = self._known.compared
            self._mine = set(itertools.compress(keys, self._only.choose([*keys.values()])))
        return place in self._mine

    def _key(self, place: int) -> bytes | None:
        """What decides which split a thing belongs to where it is not compared with the others."""
        if place not in self._known.keys:
            group = self._collection.group(place)
            if group is not None:
                self._known.keys[place] = group.encode("utf-8", "replace")
            else:
                thing = self._attempt(place)
                if thing is None:
                    return None
                self._known.keys[place] = place_key(self._shown(thing)[0])
        return self._known.keys[place]

    def _compare(self) -> dict[int, bytes]:
        """One key for all things that share an image or a group, by place; of those that can be used."""
        owners: list[int] = []
        shown = []
        keys: dict[int, bytes] = {}
        named: dict[str, int] = {}
        links: list[tuple[int, int]] = []
        for place in range(len(self._collection)):
            thing = self._attempt(place)
            if thing is None:
                continue
            images = self._shown(thing)
            keys[place] = place_key(images[0])
            owners += [place] * len(images)
            shown += [reduced(image) for image in images]
            group = self._collection.group(place)
            if group is not None:
                links.append((named.setdefault(group, place), place))
        links += [(owners[one], owners[other]) for one, other in same(shown)]
        # The key of the whole group is one of its members', whatever their order.
        return {place: min(keys[each] for each in group) for group in groups(keys, links) for place in group}
