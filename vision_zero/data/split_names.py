"""Which split of a data set a file or row belongs to, by the names that data sets use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from vision_zero.errors import PairsError

_NAMES = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
    "held_out": "held_out",
    "heldout": "held_out",
    "dev": "validation",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
_IN_NAME = re.compile(rf"(?:^|[/._\- =])({'|'.join(sorted(_NAMES, key=len, reverse=True))})(?=[/._\- \d]|$)", re.IGNORECASE)


def split_named(text: str) -> str | None:
    """The split that a word names, or None: dev, val and valid are validation."""
    return _NAMES.get(text.strip().lower())


def split_of_file(path: str) -> str | None:
    """The split of a file of rows, by its name or its folders (``data/train-00000-of-00051.parquet``)."""
    found = _IN_NAME.findall(path)
    return _NAMES[found[-1].lower()] if found else None


def split_of_folder(path: str) -> str | None:
    """The split of an image, by its folders alone (``val``, ``val2017``): ``train_original.png`` may show a train."""
    named = (split_named(folder.rstrip("0123456789")) for folder in path.split("/")[:-1])
    return next((split for split in named if split is not None), None)


def taken_splits(named: Iterable[str | None], wanted: str | None, whose: str, with_unnamed: bool = False) -> set[str | None]:
    """Of which splits files or rows are taken, None for those that name none.

    Where nothing names a split, or ``wanted`` is None, all are taken. Where some do, those of the wanted split are, and
    ``with_unnamed`` those that name none; where none is of the wanted split, only those that name none.

    Args:
        named: the split that each file or row names.
        whose: for the message, such as "the rows of s3://bucket/pairs are of".

    Raises:
        PairsError: only other splits are there.
    """
    known = set(named)
    present = sorted(split for split in known if split is not None)
    if wanted is None or not present:
        return known
    chosen = split_named(wanted) or wanted
    taken: set[str | None] = {chosen, None} if with_unnamed or chosen not in present else {chosen}
    if not taken & known:
        raise PairsError(f"{whose} no split {wanted}, but {', '.join(present)}: set split to one of them")
    return taken


def of_split(
    paths: Iterable[str], wanted: str | None, split_of: Callable[[str], str | None], location: str, with_unnamed: bool = False
) -> tuple[list[str], dict[str, int]]:
    """The files of a split, and how many others were left out, by reason. See :func:`taken_splits`."""
    named = {path: split_of(path) for path in paths}
    taken = taken_splits(named.values(), wanted, f"{location} has", with_unnamed)
    kept = [path for path, split in named.items() if split in taken]
    others = Counter(split for split in named.values() if split not in taken)
    return kept, {f"files of {f'split {split}' if split else 'no split'}": count for split, count in others.items()}
