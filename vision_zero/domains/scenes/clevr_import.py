"""Images of scenes that exist already: CLEVR's scene files, or any scene JSON in their schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import count as count_from
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from vision_zero.data.file_naming import IMAGE_SUFFIXES
from vision_zero.data.images import png_bytes
from vision_zero.data.json_csv import text_of
from vision_zero.domains.scenes.clevr import from_clevr
from vision_zero.domains.scenes.render import render
from vision_zero.errors import PairsError, one_line
from vision_zero.text import well_formed

_LONGEST_NAME = 200


def draw_given(folder: Path, file: Path, count: int, size: tuple[int, int]) -> tuple[int, dict[str, str]]:
    """Draw the first scenes of a file as ``<image_filename>.png`` or ``scene-<number>.png``.

    Returns:
        How many were drawn, and the reason for each that cannot be, by its name.

    Raises:
        PairsError: the file holds no scene that can be drawn, or the folder cannot be written.
    """
    problems: dict[str, str] = {}
    taken: set[str] = set()
    drawn = 0
    for number, entry in enumerate(islice(_entries(file), count)):
        name = f"scene-{number:06d}"
        try:
            scene = from_clevr(entry)
            name = _free_name(str(entry.get("image_filename") or name), taken)
            data = png_bytes(render(scene, *size).image)
        except PairsError as error:
            problems[name] = str(error)
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.png").write_bytes(data)
        except OSError as error:
            raise PairsError(f"{folder} cannot be written: {error}") from error
        drawn += 1
    if not drawn:
        reason = next((f"{name}: {problem}" for name, problem in problems.items()), "it is empty")
        raise PairsError(f"{file} holds no scene that can be drawn; {reason}")
    return drawn, problems


def _free_name(given: str, taken: set[str]) -> str:
    """A file's name that no other scene has: CLEVR's files of several splits repeat them below different folders.

    Folders become part of the name, only an image's suffix is dropped, and a number is added where that is not enough.
    """
    path = PurePosixPath(well_formed(given).replace("\\", "/"))
    stem = path.with_suffix("") if path.suffix.lower() in IMAGE_SUFFIXES else path
    joined = "-".join(part for part in stem.parts if part not in ("/", ".."))
    # What no file system takes, or not at that length.
    whole = re.sub(r"[\x00-\x1f\x7f]", "_", joined).encode()[:_LONGEST_NAME].decode("utf-8", "ignore") or "scene"
    names = (whole if number == 1 else f"{whole}-{number}" for number in count_from(1))
    # Some file systems do not tell capitals from small letters.
    name = next(name for name in names if name.lower() not in taken)
    taken.add(name.lower())
    return name


def _entries(file: Path) -> list[Mapping[str, Any]]:
    try:
        data = json.loads(text_of(file.read_bytes(), str(file)))
    except (OSError, ValueError, RecursionError) as error:
        raise PairsError(f"{file} is not a readable JSON file: {one_line(error)}") from error
    entries = data.get("scenes", [data]) if isinstance(data, dict) else data
    if not isinstance(entries, list):
        raise PairsError(f"{file} holds no scenes: it needs a list of them under the key scenes, as CLEVR's files have")
    return entries
