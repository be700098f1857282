"""Which files make a pair, by their names: the ways in which people and published data sets name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

PICTURE_SUFFIXES = frozenset(
    ".png .apng .jpg .jpeg .jpe .jfif .pjpeg .pjp .webp .gif .tif .tiff .bmp .dib .ppm .pgm .pbm .pnm .avif .jp2 .j2k "
    ".jpx .jpf".split()
)
OTHER_SUFFIXES = frozenset(
    ".txt .md .json .jsonl .ndjson .csv .tsv .xml .yaml .yml .html .htm .log .parquet .arrow .feather .npy .npz .pt .pth .ckpt "
    ".safetensors .pkl .py .sh .zip .tar .gz .tgz .bz2 .xz .7z .rar .mat .h5 .lock .blend .cls .caption .mp4 .mov .avi .mkv "
    ".webm .m4v .aae .xmp .ini .db .pdf .doc .docx .rtf .url".split()
)
"""Files that nobody takes for pictures. What is neither is tried, and where it cannot be read, that is said."""
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}")

SIDES = ("original", "modified")


@dataclass(frozen=True)
class _Rule:
    """Patterns of a path without its suffix, one for each side; their groups together are the pair's id."""

    original: re.Pattern[str]
    modified: re.Pattern[str]

    def match(self, stem: str) -> tuple[str, str] | None:
        """The pair's id and the side, where the path fits."""
        for side, pattern in (("modified", self.modified), ("original", self.original)):
            found = pattern.fullmatch(stem)
            if found is not None:
                return "".join(found.groups()), side
        return None


def _by_ending(original: str, modified: str) -> _Rule:
    return _Rule(*(re.compile(rf"(.+)[_\-. ](?:{words})(?:_?ima?ge?)?", re.IGNORECASE) for words in (original, modified)))


def _by_folder(original: str, modified: str) -> _Rule:
    return _Rule(*(re.compile(rf"((?:.+/)?)(?:{words})(?:_?images?)?/(.+)", re.IGNORECASE) for words in (original, modified)))


def _literal(original: str, modified: str) -> _Rule:
    return _Rule(re.compile(original), re.compile(modified))


FAMILIES: tuple[tuple[_Rule, ...], ...] = (
    (
        _by_ending("original|orig", "modified"),
        _by_ending("original|orig", "edited|edit"),
        _by_ending("before", "after"),
        _by_ending("input", "output|output1"),
        _by_ending("input", "edited"),
        _by_ending("source|src", "target|tgt|trg"),
        _by_ending("source|src", "edited"),
    ),
    (
        # CLEVR-Change: nsc_images only move the camera.
        _literal(r"((?:.+/)?)images/CLEVR_default_(\d+)", r"((?:.+/)?)sc_images/CLEVR_semantic_(\d+)"),
        _by_folder("originals?", "modified"),
        _by_folder("originals?", "edited|edits?"),
        _by_folder("before", "after"),
        _by_folder("inputs?", "outputs?"),
        _by_folder("inputs?", "edited|targets?"),
        _by_folder("sources?|src", "targets?|tgt"),
        _by_folder("sources?|src", "edited"),
        _by_folder("A", "B"),
        _by_folder("images?", "edited"),
    ),
    (
        _by_ending("A", "B"),
        # InstructPix2Pix, then spot-the-diff.
        _literal(r"(.*\d)[_.]0", r"(.*\d)[_.]1"),
        _literal(r"((?:.+/)?\d+)", r"((?:.+/)?\d+)_2"),
    ),
)
"""Rules that may hold together in one location. Of the families, the one that makes the most pairs is taken."""


@dataclass
class Named:
    """What the names tell.

    Attributes:
        pairs: id, original's and modified picture's path.
        problems: the reason for every pair that is not whole, by id.
        strays: pictures whose name fits no pair.
    """

    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)


def stem_of(path: str) -> str | None:
    """A path without its picture's suffix; None where it names no picture."""
    file = PurePosixPath(path)
    suffix = file.suffix.lower()
    if suffix in OTHER_SUFFIXES:
        return None
    if suffix in PICTURE_SUFFIXES or (_EXTENSION.fullmatch(suffix) and not any(r.match(path) for r in FAMILIES[0])):
        return path[: len(path) - len(file.suffix)]
    return path


def is_picture(path: str) -> bool:
    """Whether a file is a picture by its name."""
    return PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES


def name_pairs(paths: Iterable[str]) -> Named:
    """The pairs among files."""
    stems = {path: stem for path in paths if (stem := stem_of(path)) is not None}
    found = [_of_family(stems, family) for family in FAMILIES]
    best = max(found, key=lambda named: len(named.pairs))
    if best.pairs:
        return best
    # No pair is whole: what lacks its other half is only told by names that say so.
    return found[0]


def _of_family(stems: dict[str, str], family: Sequence[_Rule]) -> Named:
    named = Named()
    taken: set[str] = set()
    left = dict(stems)
    incomplete: dict[str, dict[str, list[str]]] = {}
    for rule in family:
        sides: dict[str, dict[str, list[str]]] = {}
        for path, stem in left.items():
            member = rule.match(stem)
            if member is not None:
                sides.setdefault(member[0], {}).setdefault(member[1], []).append(path)
        for pair_id, own in sides.items():
            if all(len(own.get(side, ())) == 1 for side in SIDES):
                named.pairs.append((own["original"][0] if pair_id in taken else pair_id, own["original"][0], own["modified"][0]))
                taken.add(pair_id)
                for path in (own["original"][0], own["modified"][0]):
                    left.pop(path)
            elif family is not FAMILIES[-1]:
                # A number or a letter at the end of a name does not tell that there is another picture.
                incomplete.setdefault(pair_id, own)
    for pair_id, own in incomplete.items():
        paths = [path for own_paths in own.values() for path in own_paths]
        if all(path in left for path in paths):
            named.problems[pair_id] = _incomplete(own)
            for path in paths:
                left.pop(path)
    named.pairs.sort()
    named.strays = [path for path in left if is_picture(path)]
    return named


def _incomplete(sides: dict[str, list[str]]) -> str:
    for side in SIDES:
        if side not in sides:
            return f"it has no {side} picture"
        if len(sides[side]) > 1:
            return f"it has {len(sides[side])} {side} pictures: {', '.join(sides[side])}"
    raise AssertionError("a pair with one picture on each side is whole")
