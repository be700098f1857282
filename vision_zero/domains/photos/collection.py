"""Where photos come from: what dependencies ship, a folder of images, or a column of a data set."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import final

from PIL import Image

from vision_zero.data.collection import Collection, FileCollection, RowCollection, rows_or_files
from vision_zero.data.file_naming import OTHER_SUFFIXES, is_image
from vision_zero.data.image_pair import Facts
from vision_zero.data.images import decode
from vision_zero.data.remote_storage import Storage
from vision_zero.data.row_files import Rows
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.errors import PairsError
from vision_zero.text import well_formed


class PhotoCollection(Collection):
    """Photos by place, from 0."""

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
"""Photos inside the packages' wheels: they load with no network. Their other images are left out: they are not photos of things
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
class FilePhotos(FileCollection, PhotoCollection):
    """Every image of a location, the folders below it, and its tar archives. What may be one is tried, whatever its suffix."""

    def __init__(self, storage: Storage, split: str | None = None) -> None:
        super().__init__(storage, split)
        self._photos = [path for path in self._paths if PurePosixPath(path).suffix.lower() not in OTHER_SUFFIXES]
        self._leave_out(len(self._paths) - len(self._photos), "files that are no images by their names")
        if not self._photos:
            raise PairsError(
                f"{storage.location} holds no images: it needs files such as .jpg or .png, or a data set{self._seen()}"
            )

    def __len__(self) -> int:
        return len(self._photos)

    def name(self, place: int) -> str:
        return well_formed(self._photos[place])

    def data(self, place: int) -> bytes:
        return self._files.read(self._photos[place])


@final
class RowPhotos(RowCollection, PhotoCollection):
    """A column of a data set."""

    def __init__(self, storage: Storage, column: str, split: str | None = None) -> None:
        super().__init__(Rows(storage, split, lambda columns: column in columns))
        self._column = column
        if column not in self._rows.columns:
            known = f"{', '.join(self._rows.columns)}{self._rows.differences}"
            raise PairsError(f"{storage.location} has no column {column}, but {known}: set column")

    def data(self, place: int) -> bytes:
        cell = self._rows.row(place, (self._column,))[self._column]
        return self._rows.image(place, cell, self._column)


def open_collection(config: PhotosConfig | PicturesConfig) -> PhotoCollection:
    """The configured photos, or images of any kind.

    Raises:
        PairsError: their location cannot be read or holds none.
    """
    if config.location is None:
        return ShippedPhotos()
    storage = Storage(config.location, config.storage)
    return rows_or_files(
        storage,
        config.layout,
        rows=lambda: RowPhotos(storage, config.column, config.split),
        files=lambda: FilePhotos(storage, config.split),
        count=lambda paths: sum(map(is_image, paths)),
        hint="there are {} images, too",
    )
