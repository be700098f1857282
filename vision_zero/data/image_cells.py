"""What a cell of a table holds as a picture: bytes, ``datasets``' pictures, base64, or the path of a file."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from vision_zero.data.archives import FileSet
from vision_zero.errors import PairsError, one_line

_LONGEST_PATH = 4096
_ENCODED = re.compile(r"[A-Za-z0-9+/_\-\s]{64,}={0,2}\s*")
_STARTS = ("iVBOR", "/9j/", "R0lGOD", "UklGR", "Qk", "SUkq", "TU0AK", "AAAA")
"""How base64 of PNG, JPEG, GIF, WebP, BMP, TIFF and AVIF begins."""


def picture_bytes(cell: object, column: str, folder: str, places: Sequence[FileSet]) -> bytes:
    """The encoded picture of a cell.

    Args:
        cell: a picture of ``datasets``, bytes, base64 or a data URI, the path of a file, or a list of one of these.
        column: its column, for messages.
        folder: of the table's file; paths are tried from there first.
        places: where files are looked for.

    Raises:
        PairsError: the cell is none of these, or the path leads nowhere.
    """
    if isinstance(cell, list):
        if len(cell) != 1:
            raise PairsError(f"column {column} holds {len(cell)} pictures where one is needed")
        cell = cell[0]
    if isinstance(cell, dict):
        cell = cell.get("bytes") or cell.get("path") or cell.get("url")
    if isinstance(cell, bytes):
        return _decoded(cell.decode("ascii"), column) if cell.startswith(_BINARY_STARTS) and cell.isascii() else cell
    if isinstance(cell, str) and cell:
        return _from_text(cell, column, folder, places)
    raise PairsError(f"column {column} holds no picture but {type(cell).__name__}")


_BINARY_STARTS = tuple(start.encode() for start in (*_STARTS, "data:image/"))


def _from_text(text: str, column: str, folder: str, places: Sequence[FileSet]) -> bytes:
    if text.startswith(("http://", "https://")):
        raise PairsError(f"column {column} holds an address ({text[:60]}): pictures are not fetched from the web, download them")
    if not text.startswith("data:") and len(text) <= _LONGEST_PATH:
        for place in places:
            path = place.find(text, folder)
            if path is not None:
                return place.read(path)
    if text.startswith("data:image/") or (text.startswith(_STARTS) and _ENCODED.fullmatch(text)):
        return _decoded(text, column)
    where = " or ".join(place.location for place in places)
    raise PairsError(f"{text[:120]}: no such file in {where}; pairs.imported.pictures may say where the pictures are")


def _decoded(text: str, column: str) -> bytes:
    body = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(body.split()).replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PairsError(f"column {column} holds broken base64 ({one_line(error)})") from error
