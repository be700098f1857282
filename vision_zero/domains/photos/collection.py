"""Where photos come from: what dependencies ship, a folder of pictures, or a column of a data set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import final

from PIL import Image

from vision_zero.data.archives import FileSet
from vision_zero.data.file_naming import OTHER_SUFFIXES, is_picture
from vision_zero.data.image_pair import Facts
from vision_zero.data.images import decode
from vision_zero.data.remote_storage import ConnectionLostError, Storage
from vision_zero.data.row_files import Rows, has_strong_table, table_paths
from vision_zero.data.split_names import of_split, split_of_folder
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.errors import PairsError
from vision_zero.text import well_formed


class PhotoCollection(ABC):
    """Photos by place, from 0.

    Attributes:
        files: how many files there are.
        left_out: files and rows that are not read, by reason.
    """

    files: int = 0
    left_out: Mapping[str, int] = MappingProxyType({})

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, place: int) -> str:
        """The id of a photo."""

    @abstractmethod
    def data(self, place: int) -> bytes:
        """The photo as it is stored.

        Raises:
            PairsError: it cannot be read.
        """

    def load(self, place: int) -> Image.Image:
        """The photo, RGB and upright.

        Raises:
            PairsError: it cannot be read.
        """
        return decode(self.data(place), self.name(place))

    def origin(self, place: int) -> Facts:
        """Where the photo is from, as JSON data."""
        return {"photo": self.name(place)}


@dataclass(frozen=True)
class _Shipped:
    package: str
    path: str
    rights: str


SHIPPED = (
    _Shipped("skimage", "data/astronaut.png", "public domain (NASA)"),
    _Shipped("skimage", "data/camera.png", "CC0 (Lav Varshney)"),
    _Shipped("skimage", "data/chelsea.png", "CC0 (Stefan van der Walt)"),
    _Shipped("skimage", "data/coffee.png", "CC0 (Rachel Michetti)"),
    _Shipped("skimage", "data/coins.png", "no known copyright restrictions (Brooklyn Museum)"),
    _Shipped("skimage", "data/rocket.jpg", "public domain (SpaceX)"),
    _Shipped("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "public domain (United States Navy)"),
)
"""Photos inside the packages' wheels: they load with no network. Their other pictures are left out: they are not photos of things
(textures, tissue, the sky), or their licence is not said (``motorcycle_left.png``)."""


@final
class ShippedPhotos(PhotoCollection):
    """The few public-domain photos that come with dependencies."""

    files = len(SHIPPED)

    def __len__(self) -> int:
        return len(SHIPPED)

    def name(self, place: int) -> str:
        return f"{SHIPPED[place].package}/{SHIPPED[place].path}"

    def data(self, place: int) -> bytes:
        photo = SHIPPED[place]
        try:
            return files(photo.package).joinpath(photo.path).read_bytes()
        except OSError as error:
            raise PairsError(f"{photo.package} was installed without {photo.path}") from error

    def origin(self, place: int) -> Facts:
        return {"photo": self.name(place), "rights": SHIPPED[place].rights}


@final
class FilePhotos(PhotoCollection):
    """Every picture of a location, the folders below it, and its tar archives. What may be one is tried, whatever its suffix."""

    def __init__(self, storage: Storage, split: str | None = None) -> None:
        self._files = FileSet(storage)
        found = self._files.paths if self._files.chosen is None else [self._files.chosen]
        paths, others = of_split(found, split, split_of_folder, storage.location, with_unnamed=True)
        self._paths = [path for path in paths if PurePosixPath(path).suffix.lower() not in OTHER_SUFFIXES]
        if not self._paths:
            raise PairsError(f"{storage.location} holds no pictures: it needs files such as .jpg or .png, or a data set")
        self.files = len(storage.entries) if self._files.chosen is None else 1
        rest = len(paths) - len(self._paths)
        self.left_out = {
            **self._files.left_out,
            **others,
            **({"files that are no pictures by their names": rest} if rest else {}),
        }

    def __len__(self) -> int:
        return len(self._paths)

    def name(self, place: int) -> str:
        return well_formed(self._paths[place])

    def data(self, place: int) -> bytes:
        return self._files.read(self._paths[place])


@final
class RowPhotos(PhotoCollection):
    """A column of a data set."""

    def __init__(self, storage: Storage, column: str, split: str | None = None) -> None:
        self._rows, self._column = Rows(storage, split), column
        self.files, self.left_out = len(storage.entries), self._rows.left_out
        if column not in self._rows.columns:
            raise PairsError(f"{storage.location} has no column {column}, but {', '.join(self._rows.columns)}: set column")

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, place: int) -> str:
        return well_formed(self._rows.name(place))

    def data(self, place: int) -> bytes:
        cell = self._rows.row(place, (self._column,))[self._column]
        return self._rows.picture(place, cell, self._column)


def open_collection(config: PhotosConfig | PicturesConfig) -> PhotoCollection:
    """The configured photos, or pictures of any kind.

    Raises:
        PairsError: their location cannot be read or holds none.
    """
    if config.location is None:
        return ShippedPhotos()
    storage = Storage(config.location, config.storage)
    is_table = config.layout == "table" or (config.layout == "auto" and _holds_table(storage))
    if not is_table:
        return FilePhotos(storage, config.split)
    try:
        return RowPhotos(storage, config.column, config.split)
    except ConnectionLostError:
        raise
    except PairsError as error:
        count = sum(map(is_picture, FileSet(storage).paths)) if config.layout == "auto" and storage.chosen is None else 0
        if not count:
            raise
        raise PairsError(f"{error}; or set layout: files, for there are {count} pictures, too") from error


def _holds_table(storage: Storage) -> bool:
    """Whether a location is a data set: JSON and CSV files beside pictures do not make it one."""
    if storage.chosen is not None or has_strong_table(storage):
        return bool(table_paths(storage)[0])
    return bool(table_paths(storage)[0]) and not any(is_picture(path) for path in FileSet(storage).paths)
