"""Which columns of a data set hold the pairs, by their names and by what is in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

STEMS = (
    ("original", "modified"),
    ("original", "edited"),
    ("orig", "edited"),
    ("input", "output"),
    ("input", "edited"),
    ("source", "edited"),
    ("source", "target"),
    ("source", "output"),
    ("src", "edited"),
    ("src", "trg"),
    ("src", "tgt"),
    ("src", "target"),
    ("before", "after"),
    ("input", "target"),
    ("image", "edited"),
    ("image", "target"),
    ("image", "modified"),
    ("a", "b"),
    ("1", "2"),
    ("0", "1"),
    ("first", "second"),
    ("left", "right"),
)
"""What the names of the two columns are without words such as "image": ours, MagicBrush's, InstructPix2Pix's, HQ-Edit's,
UltraEdit's, OmniEdit's, ImgEdit's, ..."""
_FILLERS = frozenset(
    "image images img imgs picture pictures pic photo path paths file filename name jpg jpeg png webp local".split()
)
LISTS = ("images", "image", "image_pair", "pair", "pairs", "pictures", "image_list", "imgs")
"""Columns that may hold both pictures of a pair."""
CHANGES = (
    "change",
    "prompt",
    "edit_prompt",
    "instruction",
    "edit_instruction",
    "editing_instruction",
    "edit",
    "edited_prompt_list",
    "edit_prompts",
    "instructions",
    "prompts",
    "edit_text",
    "text",
)
"""Columns that say what was changed."""
GROUPS = (
    "img_id",
    "image_id",
    "session_id",
    "group_id",
    "source_id",
    "original_id",
    "source_image_id",
    "photo_id",
    "scene_id",
    "conversation_id",
)
"""Columns that several edits of one picture share (MagicBrush's turns have one ``img_id``)."""


def pair_candidates(columns: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of columns whose names look like a pair, the likeliest first; a column that may hold both stands twice."""
    stems: dict[str, list[str]] = {}
    for column in columns:
        stems.setdefault(_stem(column), []).append(column)
    for own in stems.values():
        # "original_image" before "original", which may be text beside it.
        own.sort(key=lambda column: column.lower() == _stem(column))
    found = [
        (one, other) for first, second in STEMS for one in stems.get(first, ()) for other in stems.get(second, ()) if one != other
    ]
    return found + [(column, column) for name in LISTS for column in columns if column.lower() == name]


def first_of(names: Sequence[str], columns: Sequence[str]) -> str | None:
    """The first of some names that is a column, whatever parts its words ("img-id", "Img ID")."""
    lower = {re.sub(r"[ -]", "_", column.strip().lower()): column for column in columns}
    return next((lower[name] for name in names if name in lower), None)


def _stem(column: str) -> str:
    words = re.split(r"[_\- .]+", column.strip().lower())
    kept = [word for word in words if word not in _FILLERS]
    if not kept:
        return "image"
    # "image1", "img2"
    return re.sub(r"^(?:image|img)(?=.$)", "", "_".join(kept))
