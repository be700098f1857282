"""Measurements of pairs, one row a pair, for the expectations to judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import imagehash
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from vision_zero.config.pairs import QualityConfig
from vision_zero.data.image_pair import ImagePair, base_of
from vision_zero.data.images import empty_picture
from vision_zero.data.table import Batches, from_row
from vision_zero.data.validation.change_log import log_fault
from vision_zero.data.validation.dedup import find_duplicates
from vision_zero.data.validation.image_motion import moved_share, solid_area
from vision_zero.domains.charts.legibility import legibility_problems
from vision_zero.errors import PairsError

HASH_SIDE = 16
"""Perceptual hashes have HASH_SIDE x HASH_SIDE bits."""
BOX_GROWTH = 4
"""Pixels by which a change may reach beyond its box: soft borders."""
_SSIM_WINDOW = 7
_BATCH = 16
_UNREADABLE: dict[str, Any] = {
    "readable": False,
    "same_size": False,
    "changed_area": None,
    "similarity": None,
    "changes": None,
    "hidden_changes": None,
    "unlogged_area": None,
    "solid_area": None,
    "moved_share": None,
    "colour_range": None,
    "log_fault": None,
    "text_fault": None,
    "kinds": "",
    "base": "",
    "original_hash": "",
    "modified_hash": "",
    "trouble": "",
}


def changed_mask(original: Image.Image, modified: Image.Image, threshold: int) -> NDArray[np.bool_]:
    """(height, width): pixels of which a channel differs by more than ``threshold`` of 255."""
    difference = np.abs(np.asarray(original, dtype=np.int16) - np.asarray(modified, dtype=np.int16))
    return difference.max(axis=2) > threshold


def measure(pair: ImagePair, config: QualityConfig) -> dict[str, Any]:
    """The measurements of one readable pair; what needs two pictures of one size is missing where the sizes differ."""
    if pair.domain == "pictures":
        return _measure_picture(pair, config)
    large_enough = min(*pair.original.size, *pair.modified.size) >= _SSIM_WINDOW
    comparable = pair.original.size == pair.modified.size and large_enough
    return {
        **_UNREADABLE,
        "readable": True,
        "same_size": comparable,
        "changes": len(pair.changes),
        "kinds": " ".join(change.kind for change in pair.changes),
        "base": base_of(pair),
        "original_hash": _hash(pair.original),
        "modified_hash": _hash(pair.modified),
        "log_fault": log_fault(pair) or None,
        "text_fault": _text_fault(pair) or None,
        **(_difference(pair, config) if comparable else {}),
    }


def _measure_picture(pair: ImagePair, config: QualityConfig) -> dict[str, Any]:
    """Of a single picture: nothing was edited, so it is held against the empty one alone, which all have in common."""
    shown = _hash(pair.original)
    return {
        **_UNREADABLE,
        "readable": True,
        "same_size": pair.original.size == pair.modified.size,
        "changed_area": float(changed_mask(pair.original, empty_picture(pair.original.size), config.pixel_threshold).mean()),
        "colour_range": _colour_range(pair.original),
        "base": base_of(pair),
        "original_hash": shown,
        "modified_hash": shown,
    }


def measure_table(table: Batches, config: QualityConfig, also: Callable[[ImagePair], None] | None = None) -> pd.DataFrame:
    """Measurements of every pair, and what it repeats. Pictures are decoded one pair at a time.

    Args:
        also: is given every readable pair on the way.

    Returns:
        One row a pair: ``pair_id``, ``domain``, ``split``, ``readable``, ``same_size``, ``changed_area``, ``similarity``,
        ``changes`` (logged), ``hidden_changes`` (logged ones whose box shows none), ``unlogged_area`` (visible change outside all
        boxes), ``solid_area``, ``moved_share`` (:mod:`~vision_zero.data.validation.image_motion`), ``colour_range`` (of single
        pictures), ``log_fault``, ``text_fault``, ``kinds``, ``base`` (what it is made of), both hashes, ``trouble`` (why it is
        unreadable), ``duplicate_of``, ``leaks_from`` and ``again`` (:mod:`~vision_zero.data.validation.dedup`).
    """
    measured = []
    for batch in table.batches(_BATCH):
        for row in batch.to_pylist():
            try:
                pair = from_row(row)
                found = measure(pair, config)
            except PairsError as error:
                found = {**_UNREADABLE, "trouble": str(error)}
            else:
                if also is not None:
                    also(pair)
            measured.append({"pair_id": row["pair_id"], "domain": row["domain"], "split": row["split"], **found})
    frame = pd.DataFrame(measured, columns=["pair_id", "domain", "split", *_UNREADABLE])
    repeats = find_duplicates(frame, config.duplicate_distance)
    return frame.assign(
        duplicate_of=pd.Series(repeats.duplicate_of, dtype=object),
        leaks_from=pd.Series(repeats.leaks_from, dtype=object),
        again=repeats.again,
    )


def _difference(pair: ImagePair, config: QualityConfig) -> dict[str, Any]:
    changed = changed_mask(pair.original, pair.modified, config.pixel_threshold)
    grey = (np.asarray(image.convert("L")) for image in (pair.original, pair.modified))
    hidden, outside = 0, changed.copy()
    for left, top, right, bottom in (change.box for change in pair.changes):
        hidden += not changed[max(0, top) : bottom, max(0, left) : right].any()
        outside[max(0, top - BOX_GROWTH) : bottom + BOX_GROWTH, max(0, left - BOX_GROWTH) : right + BOX_GROWTH] = False
    return {
        "changed_area": float(changed.mean()),
        "similarity": float(structural_similarity(*grey, win_size=_SSIM_WINDOW)),
        "hidden_changes": hidden,
        # Shadows and reflections of what was edited reach far beyond the objects of a scene.
        "unlogged_area": None if pair.domain == "scenes" else float(outside.mean()),
        # What this project draws differs where the log says so; what others made may have been rendered or photographed twice.
        **(
            {
                "solid_area": solid_area(pair.original, pair.modified),
                "moved_share": moved_share(pair.original, pair.modified),
            }
            if pair.domain == "imported"
            else {}
        ),
    }


def _text_fault(pair: ImagePair) -> str:
    """The first thing wrong with the texts of a chart."""
    if pair.domain != "charts":
        return ""
    try:
        return next(
            (problem for facts in (pair.original_facts, pair.modified_facts) for problem in legibility_problems(facts)), ""
        )
    except PairsError:
        return ""  # `log_fault` says so.


def _colour_range(image: Image.Image) -> int:
    """How far the pixels of a picture lie apart, in the channel in which they do so most: 0 for a plain one."""
    pixels = np.asarray(image.convert("RGB"))
    return int(np.ptp(pixels, axis=(0, 1)).max())


def _hash(image: Image.Image) -> str:
    return str(imagehash.phash(image, hash_size=HASH_SIDE))
