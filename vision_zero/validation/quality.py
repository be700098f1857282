"""Measurements of pairs, one row a pair, for the expectations to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import imagehash
import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image
from skimage.metrics import structural_similarity

from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import changed_mask
from vision_zero.data.table import Batches, from_row
from vision_zero.domains.quality_thresholds import QualityThresholds
from vision_zero.domains.registry import base_of, domain_of
from vision_zero.errors import PairsError
from vision_zero.validation.dedup import find_duplicates

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
    "kinds": "",
    "base": "",
    "original_hash": "",
    "modified_hash": "",
    "trouble": "",
}


def measure(pair: ImagePair, config: QualityThresholds) -> dict[str, Any]:
    """The measurements of one readable pair, with those that its domain adds; what needs two images of one size is missing
    where the sizes differ. An image that was not edited is measured alone."""
    domain = domain_of(pair.domain)
    found = {
        **_UNREADABLE,
        **_identity(pair),
        "readable": True,
        "same_size": pair.original.size == pair.modified.size,
    }
    if domain.is_edited:
        comparable = found["same_size"] and min(*pair.original.size, *pair.modified.size) >= _SSIM_WINDOW
        found |= {
            "same_size": comparable,
            "changes": len(pair.changes),
            "kinds": " ".join(change.kind for change in pair.changes),
            **(_difference(pair, config) if comparable else {}),
        }
    return found | domain.measure(pair, config)


def measure_table(table: Batches, config: QualityThresholds, also: Callable[[ImagePair], None] | None = None) -> pd.DataFrame:
    """Measurements of every pair, and what it repeats. Images are decoded one pair at a time.

    Args:
        also: is given every readable pair on the way.

    Returns:
        One row a pair: ``pair_id``, ``domain``, ``split``, ``readable``, ``same_size``, ``changed_area``, ``similarity``,
        ``changes`` (logged), ``hidden_changes`` (logged ones whose box shows none), ``unlogged_area`` (visible change outside all
        boxes), ``solid_area``, ``moved_share`` (:mod:`~vision_zero.domains.imported.image_motion`), ``colour_range`` (of single
        images), ``log_fault``, ``text_fault``, ``kinds``, ``base`` (what it is made of), both hashes, ``trouble`` (why it is
        unreadable), ``duplicate_of``, ``leaks_from`` and ``again`` (:mod:`~vision_zero.validation.dedup`).
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
    columns = dict.fromkeys(["pair_id", "domain", "split", *_UNREADABLE, *(column for found in measured for column in found)])
    frame = pd.DataFrame([columns | found for found in measured], columns=[*columns])
    repeats = find_duplicates(frame, config.duplicate_distance)
    return frame.assign(
        duplicate_of=pd.Series(repeats.duplicate_of, dtype=object),
        leaks_from=pd.Series(repeats.leaks_from, dtype=object),
        again=repeats.again,
    )


def identities(tables: Iterable[Batches]) -> pa.Table:
    """What shows of every pair whether another one repeats it: ``pair_id``, ``domain``, ``split``, ``position``, ``base`` and
    both hashes, as :func:`~vision_zero.validation.dedup.find_duplicates` reads them, and in which of the tables it is.
    """
    rows = []
    for number, table in enumerate(tables):
        for row in (row for batch in table.batches(_BATCH) for row in batch.to_pylist()):
            known = {name: row[name] for name in ("pair_id", "domain", "split", "position")}
            try:
                shown = _identity(from_row(row))
            except PairsError:
                shown = dict.fromkeys(("base", "original_hash", "modified_hash"), "")
            rows.append({**known, "table": number, **shown})
    texts = [(name, pa.string()) for name in ("pair_id", "domain", "split", "base", "original_hash", "modified_hash")]
    schema = pa.schema([*texts, ("position", pa.int64()), ("table", pa.int64())])
    return pa.Table.from_pylist(rows, schema=schema)


def _identity(pair: ImagePair) -> dict[str, str]:
    original = _hash(pair.original)
    modified = _hash(pair.modified) if domain_of(pair.domain).is_edited else original
    return {"base": base_of(pair), "original_hash": original, "modified_hash": modified}


def _difference(pair: ImagePair, config: QualityThresholds) -> dict[str, Any]:
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
        "unlogged_area": float(outside.mean()),
    }


def _hash(image: Image.Image) -> str:
    return str(imagehash.phash(image, hash_size=HASH_SIDE))
