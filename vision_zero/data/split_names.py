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


def split_named(text: str, own: str | None = None) -> str | None:
    """The split that a word names, or None: dev, val and valid are validation. ``own``: see :func:`own_split`."""
    word = text.strip().lower()
    return own if own is not None and word == own.lower() else _NAMES.get(word)


def own_split(wanted: str | None) -> str | None:
    """The wanted split, if data sets do not usually have it (``FreeForm_0``): then it is one only where it is asked for."""
    return None if wanted is None or split_named(wanted) else wanted.strip()


def split_of_file(path: str, own: str | None = None) -> str | None:
    """The split of a file of rows, by its name or its folders (``data/train-00000-of-00051.parquet``)."""
    if own is not None and re.search(rf"(?:^|[/._\- =]){re.escape(own)}(?=[/._\- ]|$)", path, re.IGNORECASE):
        return own
    found = _IN_NAME.findall(path)
    return _NAMES[found[-1].lower()] if found else None


def split_of_folder(path: str, own: str | None = None) -> str | None:
    """The split of an image, by its folders alone (``val``, ``val2017``): ``train_original.png`` may show a train."""
    folders = path.split("/")[:-1]
    if own is not None and own.lower() in map(str.lower, folders):
        return own
    named = (split_named(folder.rstrip("0123456789")) for folder in folders)
    return next((split for split in named if split is not None), None)


def taken_splits(named: Iterable[str | None], wanted: str | None, whose: str, with_unnamed: bool = False) -> set[str | None]:
    """Of which splits files or rows are taken, None for those that name none.

    Where nothing names a split, or ``wanted`` is None, all are taken. Where some do, those of the wanted split are, and
    ``with_unnamed`` those that name none; where none is of the wanted split, only those that name none. Of a split that data
    sets do not usually have, nothing else is taken.

    Args:
        named: the split that each file or row names.
        whose: for the message, such as "the rows of s3://bucket/pairs are of".

    Raises:
        PairsError: only other splits are there.
    """
    known = set(named)
    present = sorted(split for split in known if split is not None)
    own = own_split(wanted)
    if wanted is None or (own is None and not present):
        return known
    chosen = own or split_named(wanted)
    taken: set[str | None] = {chosen, None} if own is None and (with_unnamed or chosen not in present) else {chosen}
    if not taken & known:
        others = f", but {', '.join(present)}: set split to one of them" if present else ": leave split out"
        raise PairsError(f"{whose} no split {wanted}{others}")
    return taken


def of_split(
    paths: Iterable[str],
    wanted: str | None,
    split_of: Callable[[str, str | None], str | None],
    location: str,
    with_unnamed: bool = False,
) -> tuple[list[str], dict[str, int]]:
    """The files of a split, and how many others were left out, by reason. See :func:`taken_splits`."""
    own = own_split(wanted)
    named = {path: split_of(path, own) for path in paths}
    taken = taken_splits(named.values(), wanted, f"{location} has", with_unnamed)
    kept = [path for path, split in named.items() if split in taken]
    others = Counter(split for split in named.values() if split not in taken)
    unnamed = "no split" if own is None else "other splits"
    return kept, {f"files of {f'split {split}' if split else unnamed}": count for split, count in others.items()}
