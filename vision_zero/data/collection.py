"""What a location holds, thing by thing (photos, pictures, pairs), and sources that make pairs of such things."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from typing import Generic, Literal, Self, TypeVar

from PIL import Image

from vision_zero.data.archives import FileSet
from vision_zero.data.broken_pairs import Collection, UsablePairs
from vision_zero.data.remote_storage import ConnectionLostError, Storage
from vision_zero.data.row_files import Rows, has_strong_table, table_paths
from vision_zero.data.source import PairSource
from vision_zero.data.source_report import SourceReport
from vision_zero.data.split_names import of_split, split_of_folder
from vision_zero.data.splits import SplitFilter
from vision_zero.errors import PairsError
from vision_zero.text import well_formed

T = TypeVar("T")


class FileCollection(Collection):
    """Files of a location, the folders below it and its tar archives, of one split where folders name several."""

    def __init__(self, storage: Storage, split: str | None) -> None:
        self._files = FileSet(storage)
        found = self._files.paths if self._files.chosen is None else [self._files.chosen]
        self._paths, others = of_split(found, split, split_of_folder, storage.location, with_unnamed=True)
        self.files = len(storage.entries) if self._files.chosen is None else 1
        self.left_out = {**self._files.left_out, **others}

    def _leave_out(self, count: int, reason: str) -> None:
        if count:
            self.left_out = {**self.left_out, reason: count}

    def _seen(self) -> str:
        """What there is instead of what is looked for, for messages."""
        told = [f"{self.files} files", *(f"{count} {reason}" for reason, count in self.left_out.items())]
        return f"; found: {', '.join(told)}"


class RowCollection(Collection):
    """Rows of a data set, of one split where there are several."""

    def __init__(self, storage: Storage, split: str | None, pictures: FileSet | None = None) -> None:
        self._rows = Rows(storage, split, pictures)
        self.files, self.left_out = len(storage.entries), self._rows.left_out

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
    if not table_paths(storage)[0]:
        return False
    return storage.chosen is not None or has_strong_table(storage) or not count(FileSet(storage).paths)


class CollectionSource(PairSource, Generic[T]):
    """Makes pairs of the things of a collection. Those that cannot be used are skipped, and the report says why.

    What shows the same belongs to one split, whatever its file's name, format or size.

    Args:
        collection: the things.
        location: where they are, for messages.
        only: the things that may be used.
    """

    things: str
    """What they are called in reports."""

    def __init__(self, collection: Collection, location: str, only: SplitFilter) -> None:
        self._collection, self._location = collection, well_formed(location)
        what = f"{self.things.removesuffix('s')} in {location}"
        self._usable = UsablePairs(collection, self._load, what, self._shown, only)
        self._usable.problems.update(collection.problems)

    @abstractmethod
    def _load(self, place: int) -> T:
        """The thing of a place.

        Raises:
            PairsError: it cannot be used.
        """

    @abstractmethod
    def _shown(self, thing: T) -> Sequence[Image.Image]:
        """The pictures of a thing."""

    def of(self, only: SplitFilter) -> Self:
        view = copy(self)
        view._usable = self._usable.of(only)
        return view

    def report(self) -> SourceReport:
        return SourceReport(
            domain=self.domain,
            location=self._location,
            things=self.things,
            files=self._collection.files,
            found=len(self._collection) + len(self._collection.problems),
            incomplete=len(self._collection.problems),
            looks=self._usable.looks,
            failures=self._usable.failures,
            skipped={well_formed(name): well_formed(reason) for name, reason in self.problems.items()},
            left_out=dict(self._collection.left_out),
        )

    @property
    def problems(self) -> dict[str, str]:
        """The reason for every thing that was found unusable so far, by its id; ``check`` finds them all."""
        return dict(self._usable.problems)

    def check(self) -> dict[str, str]:
        """Reads everything once; returns all problems."""
        return self._usable.check()
