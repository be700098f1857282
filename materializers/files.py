"""Base class of this project's materializers: files in any artifact store, and pages as previews."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar, TypeVar

from zenml.enums import ArtifactType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer

from materializers.lost_results import forget_result_at
from vision_zero.data.remote_storage import failures
from vision_zero.errors import ArtifactError, VisionZeroError, one_line

Read = TypeVar("Read")
_AGAIN = (
    "run again, and a step whose result was kept makes it anew; of a promoted version that lost its files promote another one"
)
_PIECE = 1 << 24
"""Chunk size for hashing a file, in bytes."""


class FileMaterializer(BaseMaterializer):
    """Stores an object as plain files under the artifact's URI. No pickle: subclasses write parquet, safetensors, JSON.

    Stores retry failed connections themselves; a remaining failure is an ArtifactError.
    """

    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    SKIP_REGISTRATION: ClassVar[bool] = True
    NEEDED: ClassVar[tuple[str, ...]] = ()
    """Files that an object is loaded from; if one is gone, a cached step runs again."""

    def _put(self, path: Path, name: str) -> None:
        """Copy a local file into the artifact."""
        with self._reaching(name, "stored"), path.open("rb") as source, self._open(name, "wb") as target:
            shutil.copyfileobj(source, target)

    def _get(self, name: str, path: Path) -> None:
        """Copy a file of the artifact to a local path."""
        with self._reaching(name, "fetched"), self._open(name, "rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)

    def _write_file(self, name: str, write: Callable[[Path], object]) -> None:
        """Store a file that ``write`` makes at a local path."""
        with tempfile.TemporaryDirectory(prefix="vision-zero-") as folder:
            write(Path(folder) / name)
            self._put(Path(folder) / name, name)

    def _read_file(self, name: str, read: Callable[[Path], Read]) -> Read:
        """What ``read`` makes of a file of the artifact."""
        with tempfile.TemporaryDirectory(prefix="vision-zero-") as folder:
            self._get(name, Path(folder) / name)
            with self._reaching(name, "fetched"):
                return read(Path(folder) / name)

    def _write_text(self, name: str, text: str) -> str:
        with self._reaching(name, "stored"), self._open(name, "w") as target:
            target.write(text)
        return f"{self.uri}/{name}"

    def _parsed(self, name: str, parse: Callable[[str], Read]) -> Read:
        """What ``parse`` makes of the text of a file of the artifact."""
        with self._reaching(name, "fetched"), self._open(name, "r") as source:
            return parse(source.read())

    def _open(self, name: str, mode: str) -> IO[Any]:
        opened: IO[Any] = self.artifact_store.open(f"{self.uri}/{name}", mode)
        return opened

    @contextmanager
    def _reaching(self, name: str, aim: str) -> Iterator[None]:
        """Context that turns failures of the store into one-line errors.

        Raises:
            ArtifactError: the store cannot be reached, refuses, or has no such file; or one that cannot be read.
        """
        try:
            yield
        except FileNotFoundError as error:
            if aim == "fetched":
                forget_result_at(self.uri)
            raise ArtifactError(
                f"{self.uri}/{name} cannot be {aim}: {one_line(error)}; it is gone from the artifact store: {_AGAIN}"
            ) from error
        except failures() as error:
            raise ArtifactError(
                f"{self.uri}/{name} cannot be {aim}: {one_line(error)}; what earlier runs promoted stands: "
                "check the artifact store and its credentials, and run again"
            ) from error
        except ArtifactError:
            raise
        except (ValueError, VisionZeroError) as error:
            if aim != "fetched":
                raise
            forget_result_at(self.uri)
            raise ArtifactError(f"{self.uri}/{name} is broken: {one_line(error, 300)}; {_AGAIN}") from error

    def _page(self, name: str, html: str) -> dict[str, VisualizationType]:
        """Write a preview page for the dashboard, which shows it in a frame without scripts."""
        return {self._write_text(name, html): VisualizationType.HTML}


def digest_of(*paths: Path) -> str:
    """Hash of the content of files, which may be larger than memory."""
    total = hashlib.blake2b(digest_size=16)
    for path in paths:
        total.update(path.stat().st_size.to_bytes(8, "big"))
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                total.update(piece)
    return total.hexdigest()
