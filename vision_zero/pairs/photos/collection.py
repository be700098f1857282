"""Where photos come from: what dependencies ship, a folder of pictures, or a column of a data set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import final

from PIL import Image

from vision_zero.config.photos import PhotosConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.image_pair import Facts
from vision_zero.pairs.imported.index import PICTURE_SUFFIXES, holds_table
from vision_zero.pairs.imported.shards import Rows
from vision_zero.pairs.imported.storage import Storage
from vision_zero.pairs.pictures import decode


class PhotoCollection(ABC):
    """Photos by place, from 0."""

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
    """Every picture of a location and the folders below it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._paths = [path for path in storage.entries if PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES]
        if not self._paths:
            raise PairsError(f"{storage.location} holds no pictures: it needs files such as .jpg or .png, or a data set")

    def __len__(self) -> int:
        return len(self._paths)

    def name(self, place: int) -> str:
        return self._paths[place]

    def data(self, place: int) -> bytes:
        return self._storage.read(self._paths[place])


@final
class RowPhotos(PhotoCollection):
    """A column of a data set."""

    def __init__(self, storage: Storage, column: str) -> None:
        self._rows, self._column = Rows(storage), column
        if column not in self._rows.columns:
            raise PairsError(f"{storage.location} has no column {column}, but {', '.join(self._rows.columns)}: set column")

    def __len__(self) -> int:
        return len(self._rows)

    def name(self, place: int) -> str:
        return self._rows.name(place)

    def data(self, place: int) -> bytes:
        cell = self._rows.row(place, (self._column,))[self._column]
        return self._rows.picture(place, cell, self._column)


def open_collection(config: PhotosConfig) -> PhotoCollection:
    """The configured photos.

    Raises:
        PairsError: their location cannot be read or holds none.
    """
    if config.location is None:
        return ShippedPhotos()
    storage = Storage(config.location, config.storage)
    return RowPhotos(storage, config.column) if holds_table(storage, config.layout) else FilePhotos(storage)
