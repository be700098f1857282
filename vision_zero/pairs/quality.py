"""Measurements of pairs that the expectations judge: one row a pair, numbers only."""

from __future__ import annotations

from typing import Any

import imagehash
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from vision_zero.config.pairs import QualityConfig
from vision_zero.errors import PairsError
from vision_zero.pairs.image_pair import ImagePair
from vision_zero.pairs.table import PairTable, from_row

HASH_SIDE = 16
"""Perceptual hashes have HASH_SIDE x HASH_SIDE bits."""
_SSIM_WINDOW = 7


def changed_mask(original: Image.Image, modified: Image.Image, threshold: int) -> NDArray[np.bool_]:
    """(height, width): pixels of which a channel differs by more than ``threshold`` of 255."""
    difference = np.abs(np.asarray(original, dtype=np.int16) - np.asarray(modified, dtype=np.int16))
    return difference.max(axis=2) > threshold


def measure(pair: ImagePair, config: QualityConfig) -> dict[str, Any]:
    """The measurements of one readable pair; similarity and area are missing where the sizes differ."""
    same_size = pair.original.size == pair.modified.size
    large_enough = min(*pair.original.size, *pair.modified.size) >= _SSIM_WINDOW
    area, similarity = None, None
    if same_size and large_enough:
        area = float(changed_mask(pair.original, pair.modified, config.pixel_threshold).mean())
        grey = (np.asarray(image.convert("L")) for image in (pair.original, pair.modified))
        similarity = float(structural_similarity(*grey, win_size=_SSIM_WINDOW))
    return {
        "pair_id": pair.pair_id,
        "readable": True,
        "same_size": same_size and large_enough,
        "changed_area": area,
        "similarity": similarity,
        "changes": len(pair.changes),
        "hash": str(imagehash.phash(pair.original, hash_size=HASH_SIDE)),
        "trouble": "",
    }


def measure_table(table: PairTable, config: QualityConfig) -> pd.DataFrame:
    """Measurements of every pair, and for each the earlier pair that it repeats.

    Returns:
        One row a pair: ``pair_id``, ``split``, ``readable``, ``same_size``, ``changed_area``, ``similarity``, ``changes``,
        ``hash``, ``trouble`` (why it is unreadable), ``duplicate_of`` (an earlier pair of the same split) and
        ``leaks_from`` (a pair of the other split), empty where there is none.
    """
    measured = []
    for batch in table.rows.to_batches(max_chunksize=16):
        for row in batch.to_pylist():
            try:
                found = measure(from_row(row), config)
            except PairsError as error:
                found = {"pair_id": row["pair_id"], "readable": False, "same_size": False, "hash": "", "trouble": str(error)}
            measured.append({**found, "split": row["split"]})
    columns = ["pair_id", "split", "readable", "same_size", "changed_area", "similarity", "changes", "hash", "trouble"]
    frame = pd.DataFrame(measured, columns=columns)
    duplicates, leaks = _repeats(frame, config.duplicate_distance)
    return frame.assign(duplicate_of=pd.Series(duplicates, dtype=object), leaks_from=pd.Series(leaks, dtype=object))


def _repeats(frame: pd.DataFrame, distance: int) -> tuple[list[str | None], list[str | None]]:
    """For each row: an earlier row of its split, and a held-out row for a training row, that shows the same picture."""
    bits = {text: _bits(text) for text in set(frame["hash"]) if text}
    duplicates: list[str | None] = []
    leaks: list[str | None] = []
    seen: dict[str, tuple[list[str], list[NDArray[np.bool_]]]] = {}
    held_out = frame[(frame["split"] == "held_out") & (frame["hash"] != "")]
    reserved = (list(held_out["pair_id"]), [bits[text] for text in held_out["hash"]])
    for pair_id, split, text in zip(frame["pair_id"], frame["split"], frame["hash"], strict=True):
        earlier = seen.setdefault(split, ([], []))
        duplicates.append(_nearest(bits.get(text), earlier, distance))
        leaks.append(_nearest(bits.get(text), reserved, distance) if split == "train" else None)
        if text:
            earlier[0].append(pair_id)
            earlier[1].append(bits[text])
    return duplicates, leaks


def _nearest(own: NDArray[np.bool_] | None, others: tuple[list[str], list[NDArray[np.bool_]]], distance: int) -> str | None:
    ids, hashes = others
    if own is None or not hashes:
        return None
    differing = np.count_nonzero(np.stack(hashes) != own, axis=1)
    closest = int(differing.argmin())
    return ids[closest] if differing[closest] <= distance else None


def _bits(text: str) -> NDArray[np.bool_]:
    return imagehash.hex_to_hash(text).hash.ravel()
