"""What a cell of a table holds as an image: bytes, ``datasets``' images, base64, or the path of a file."""

from __future__ import annotations

import ast
import base64
import binascii
import json
import re
from collections.abc import Sequence

from vision_zero.data.archives import FileSet
from vision_zero.errors import PairsError, one_line

_LONGEST_PATH = 4096
_ENCODED = re.compile(r"[A-Za-z0-9+/_\-\s]{64,}={0,2}\s*")
_STARTS = ("iVBOR", "/9j/", "R0lGOD", "UklGR", "Qk", "SUkq", "TU0AK", "AAAA")
"""How base64 of PNG, JPEG, GIF, WebP, BMP, TIFF and AVIF begins."""
_BINARY_STARTS = tuple(start.encode() for start in (*_STARTS, "data:"))
_MARKED = re.compile(r"(?:data:[\w.+/;=-]*;base64,|base64:(?://)?|base64,)", re.IGNORECASE)
"""What says that base64 follows."""
_KEYS = tuple("bytes path url b64 b64_json base64 data image image_url file_name filename file src".split())
"""Under which of an object's keys an image may be; the first that holds something counts."""
_LITERAL = re.compile(r"\s*(?:[\[{]|b['\"])")
_DEEPEST = 4


def listed(cell: object) -> object:
    """A cell of text that holds a list or an object, as JSON or as Python writes it, as what it holds; others as they are."""
    if not isinstance(cell, str) or not _LITERAL.match(cell):
        return cell
    for read in (json.loads, ast.literal_eval):
        try:
            found: object = read(cell.strip())
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
        return found
    return cell


def image_bytes(cell: object, column: str, folder: str, places: Sequence[FileSet], hint: str = "") -> bytes:
    """The encoded image of a cell.

    Args:
        cell: an image of ``datasets``, bytes, base64 or a data URI, the path of a file, an object or a list with one of these,
            or the text of such an object or list.
        column: its column, for messages.
        folder: of the table's file; paths are tried from there first.
        places: where files are looked for.
        hint: what to say besides where there is no such file.

    Raises:
        PairsError: the cell is none of these, or the path leads nowhere.
    """
    found = _unwrapped(cell, column)
    if isinstance(found, bytes):
        is_text = found.startswith(_BINARY_STARTS) and found.isascii()
        return _decoded(found.decode("ascii"), column) if is_text else found
    if isinstance(found, str) and found.strip():
        return _from_text(found, column, folder, places, hint)
    is_empty = found is None or isinstance(found, str)
    raise PairsError(f"column {column} {'is empty' if is_empty else f'holds no image but {type(found).__name__}'}")


def _unwrapped(cell: object, column: str) -> object:
    """What is inside of lists of one, objects, and their texts."""
    for _ in range(_DEEPEST):
        cell = listed(cell)
        if isinstance(cell, dict):
            cell = next((cell[key] for key in _KEYS if cell.get(key)), None)
        elif isinstance(cell, list):
            if len(cell) > _DEEPEST and all(isinstance(value, int) and -128 <= value < 256 for value in cell):
                return bytes(value % 256 for value in cell)
            if len(cell) != 1:
                raise PairsError(f"column {column} holds {len(cell)} images where one is needed")
            cell = cell[0]
    return cell


def _from_text(text: str, column: str, folder: str, places: Sequence[FileSet], hint: str) -> bytes:
    if text.startswith(("http://", "https://")):
        raise PairsError(f"column {column} holds an address ({text[:60]}): images are not fetched from the web, download them")
    if _MARKED.match(text):
        return _decoded(text, column)
    if len(text) <= _LONGEST_PATH:
        for place in places:
            path = place.find(text, folder)
            if path is not None:
                return place.read(path)
    body = text.strip().strip("\"'")
    if body.startswith(_STARTS) and _ENCODED.fullmatch(body):
        return _decoded(body, column)
    unread = [f"{count} {reason}" for place in places for reason, count in place.left_out.items()]
    unread += [f"{path}: {reason}" for place in places for path, reason in place.problems.items()]
    where = " or ".join(place.location for place in places) + (f" ({'; '.join(unread)})" if unread else "")
    raise PairsError(f"{text[:120]}: no such file in {where}{hint}")


def _decoded(text: str, column: str) -> bytes:
    body = "".join(_MARKED.sub("", text, count=1).split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PairsError(f"column {column} holds broken base64 ({one_line(error)})") from error
