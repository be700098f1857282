"""Which files make a pair, by their names: the ways in which people and published data sets name them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import PurePosixPath

IMAGE_SUFFIXES = frozenset(
    ".png .apng .jpg .jpeg .jpe .jfif .pjpeg .pjp .webp .gif .tif .tiff .bmp .dib .ppm .pgm .pbm .pnm .avif .jp2 .j2k "
    ".jpx .jpf".split()
)
OTHER_SUFFIXES = frozenset(
    ".txt .md .json .jsonl .ndjson .csv .tsv .xml .yaml .yml .html .htm .log .parquet .arrow .feather .npy .npz .pt .pth .ckpt "
    ".safetensors .pkl .py .sh .zip .tar .gz .tgz .bz2 .xz .7z .rar .mat .h5 .lock .blend .cls .caption .mp4 .mov .avi .mkv "
    ".webm .m4v .aae .xmp .ini .db .pdf .doc .docx .rtf .url".split()
)
"""Files that nobody takes for images. What is neither is tried, and where it cannot be read, that is said."""
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}")

SIDES = ("original", "modified")

_ORIGINALS = {
    "original": "originals?|orig|unedited",
    "before": "before(?:[_\\- ]edit)?|befores",
    "input": "inputs?|in",
    "source": "sources?|src",
    "pre": "pre(?:[_\\- ]disaster)?",
    "reference": "reference|ref",
    "conditioning": "conditioning|cond|control",
    "raw": "raw",
    "old": "old",
}
_MODIFIEDS = {
    "modified": "modified|mod",
    "edited": "edited|edits?",
    "after": "after(?:[_\\- ]edit)?|afters",
    "output": "outputs?|out",
    "target": "targets?|tgt|trg|dst",
    "result": "results?",
    "generated": "generated|gen",
    "post": "post(?:[_\\- ]disaster)?",
    "new": "new",
}
"""What the sides of a pair are called, the likeliest words first."""
_TELLING = frozenset(("original", "modified", "edited", "after", "output", "result"))
"""Words that one side may have alone: ``7.png`` and ``7_edited.png``."""
_LETTER = r"[^\W\d_]"
_FILLER = r"(?:[_\- ]?(?:ima?ge?s?|pic(?:ture)?s?|photos?))?"
"""What may follow a side's word: "original_image", "edited images"."""
_BEGIN, _END = rf"(?:(?<!{_LETTER})|(?<=[a-z])(?=[A-Z]))", rf"(?:(?!{_LETTER})|(?<=[a-z])(?=[A-Z]))"
_WORDS = "|".join(rf"(?P<{name}>{forms})" for name, forms in (_ORIGINALS | _MODIFIEDS).items())
_SIDE_WORD = re.compile(rf"{_BEGIN}(?i:(?:{_WORDS}){_FILLER}){_END}")
_NUMBER = re.compile(r"[_\-. (/]*\d+\)?$")

_PREFIX = r"(?:(?:ima?ge?|frame|view|pic(?:ture)?|photo|time|im|t)[_\- ]?)?"
_COUNT = "a|b|first|second|last|left|right|start|end"
_ENDS = (("0", "1"), ("1", "2"), ("a", "b"), ("first", "second"), ("first", "last"), ("left", "right"), ("start", "end"))
"""Names that only count: ``7_a`` and ``7_b``, ``7/img1`` and ``7/img2``, ``T1/7`` and ``T2/7``."""
_COUNTED_NAME = re.compile(rf"((?:.*?(?:[_.\-/ (]|\d(?=[ab])))?){_PREFIX}(\d+|{_COUNT})\)?()", re.IGNORECASE | re.DOTALL)
_COUNTED_FOLDER = re.compile(rf"((?:.+/)?){_PREFIX}((?<=[a-z_ -])\d|{_COUNT})(/.+)", re.IGNORECASE | re.DOTALL)
_LITERAL = (
    # CLEVR-Change: nsc_images only move the camera.
    (r"((?:.+/)?)images/CLEVR_default_(\d+)", r"((?:.+/)?)sc_images/CLEVR_semantic_(\d+)"),
    (r"((?:.+/)?)(?:images?|imgs?)/(.+)", r"((?:.+/)?)edited/(.+)"),
    # Spot-the-diff.
    (r"((?:.+/)?\d+)", r"((?:.+/)?\d+)_2"),
)


@dataclass
class Named:
    """What the names tell.

    Attributes:
        pairs: id, original's and modified image's path; several edits may share an original.
        problems: the reason for every pair that is not whole, by id.
        strays: images whose name fits no pair.
    """

    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)


_Pair = tuple[str, str, str]
"""Id, original's and modified image's path."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to read a name: the side's word, where it stands, and what is left without it."""

    word: str
    place: str
    key: str


def stem_of(path: str) -> str | None:
    """A path without its image's suffix; None where it names no image."""
    file = PurePosixPath(path)
    suffix = file.suffix.lower()
    if suffix in OTHER_SUFFIXES:
        return None
    if suffix in IMAGE_SUFFIXES or (_EXTENSION.fullmatch(suffix) and not _SIDE_WORD.search(suffix)):
        return path[: len(path) - len(file.suffix)]
    return path


def is_image(path: str) -> bool:
    """Whether a file is an image by its name."""
    return PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES


def name_pairs(paths: Iterable[str]) -> Named:
    """The pairs among files, in the way of naming that makes the most. Names that lack their other half are problems."""
    # Systems write an accent as one character with its letter, or as two.
    stems = {path: unicodedata.normalize("NFC", stem) for path in paths if (stem := stem_of(path)) is not None}
    by_words = _ByWords(stems)
    ways: list[list[_Pair]] = [by_words.pairs, *(_literal(stems, *both) for both in _LITERAL)]
    ways += [_counted(stems, _COUNTED_NAME, is_alone=True), _counted(stems, _COUNTED_FOLDER)]
    best = max(ways, key=len)
    # "7_a" and "7-a" leave the same: then the original's path is the id.
    counts = Counter(pair_id for pair_id, *_ in best)
    named = Named(sorted((own if counts[own] == 1 else original, original, modified) for own, original, modified in best))
    used = {path for _, *both in named.pairs for path in both}
    if best is by_words.pairs:
        lacking = by_words.lacking()
        named.problems = {pair_id or _paths(sides)[0]: _incomplete(sides) for pair_id, sides in lacking.items()}
        used |= {path for sides in lacking.values() for path in _paths(sides)}
    named.strays = [path for path in stems if path not in used and is_image(path)]
    return named


def side_of(word: str) -> str:
    """The side that a word of names stands for."""
    return SIDES[word in _MODIFIEDS]


def rank(word: str) -> int:
    """How unlikely a word is among those of its side, from 0."""
    return list(_MODIFIEDS if word in _MODIFIEDS else _ORIGINALS).index(word)


def ways_of(stem: str) -> Iterator[_Way]:
    """Each way to take the words of a side out of a name: one at a time, or all where they agree."""
    found = [(match.start(), match.end(), str(match.lastgroup)) for match in _SIDE_WORD.finditer(stem)]
    if len(found) > 1 and len({side_of(word) for *_, word in found}) == 1:
        rest = stem
        for start, end, _ in reversed(found):
            rest = _without(rest, start, end)
        yield _Way(found[-1][2], "all", rest)
    for start, end, word in reversed(found):
        place = "folder" if "/" in stem[end:] else "begin" if start == 0 or stem[start - 1] == "/" else "end"
        yield _Way(word, place, _without(stem, start, end))


def _without(stem: str, start: int, end: int) -> str:
    left, right = re.sub(r"[_\-. (\[]+$", "", stem[:start]), re.sub(r"^[_\-. )\]]+", "", stem[end:])
    between = "_" if left and right and left[-1] != "/" != right[0] else ""
    return (left + between + right).replace("//", "/").strip("/")


class _ByWords:
    """Pairs of names that are the same but for the sides' words."""

    def __init__(self, stems: Mapping[str, str]) -> None:
        self.pairs: list[_Pair] = []
        self._stems = stems
        self._used: set[str] = set()
        self._ids: set[str] = set()
        self._making: set[tuple[str, str]] = set()
        self._named: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._plain: dict[str, list[str]] = defaultdict(list)
        for path, stem in stems.items():
            ways = list(ways_of(stem))
            for way in ways:
                self._named[way.word, way.place][way.key].append(path)
            if not ways:
                self._plain[stem].append(path)
        for one, other, place in product(_ORIGINALS, _MODIFIEDS, ("all", "end", "begin", "folder")):
            if (one, place) in self._named and (other, place) in self._named:
                self._join(self._named[one, place], self._named[other, place], {(one, place), (other, place)})
        for (word, place), names in list(self._named.items()):
            for key, paths in names.items():
                if len(paths) == 1 and paths[0] not in self._used:
                    self._join_alone(word, place, key, paths[0])

    def lacking(self) -> dict[str, dict[str, list[str]]]:
        """Files without a partner by id and side, named by words that make pairs; by any words where none does."""
        found: dict[str, dict[str, list[str]]] = {}
        for path in (path for path in self._stems if path not in self._used):
            for way in ways_of(self._stems[path]):
                if not self.pairs or (way.word, way.place) in self._making:
                    if way.key not in self._ids:
                        found.setdefault(way.key, {}).setdefault(side_of(way.word), []).append(path)
                    break
        return found

    def _join(self, originals: Mapping[str, list[str]], modifieds: Mapping[str, list[str]], ways: set[tuple[str, str]]) -> None:
        for key in [key for key in originals if key in modifieds]:
            one, other = ([path for path in names[key] if path not in self._used] for names in (originals, modifieds))
            if len(one) == len(other) == 1:
                self._add(key, one[0], other[0], ways)

    def _join_alone(self, word: str, place: str, key: str, path: str) -> None:
        """A name without a partner: one of several edits (``7_edited_2``), or beside a plain name (``7``)."""
        is_edit = word in _MODIFIEDS
        partners = list(self._plain.get(key, ())) if word in _TELLING else []
        first = _NUMBER.sub("", key)
        if is_edit and not partners and first != key:
            partners = [own for one in _ORIGINALS for own in self._named.get((one, place), {}).get(first, ())]
            partners = partners or (list(self._plain.get(first, ())) if word in _TELLING else [])
        if len(partners) == 1:
            self._add(key, *((partners[0], path) if is_edit else (path, partners[0])), {(word, place)})

    def _add(self, key: str, original: str, modified: str, ways: set[tuple[str, str]]) -> None:
        self.pairs.append((key if key and key not in self._ids else original, original, modified))
        self._ids.add(key)
        self._used |= {original, modified}
        self._making |= ways


def _literal(stems: Mapping[str, str], original: str, modified: str) -> list[_Pair]:
    sides = [
        {"".join(match.groups()): path for path, stem in stems.items() if (match := re.fullmatch(pattern, stem))}
        for pattern in (original, modified)
    ]
    return [(key, sides[0][key], sides[1][key]) for key in sides[0] if key in sides[1]]


def _counted(stems: Mapping[str, str], pattern: re.Pattern[str], is_alone: bool = False) -> list[_Pair]:
    """Pairs of names that only count. ``is_alone``: there must be no third one of a number, and most images must be of pairs:
    numbered photos are none."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path, stem in stems.items():
        match = pattern.fullmatch(stem)
        if match is not None:
            count = match[2].lower()
            found[match[1] + match[3]][(count.lstrip("0") or "0") if count.isdigit() else count] = path
    pairs = []
    for key, own in found.items():
        one, other = next(((one, other) for one, other in _ENDS if one in own and other in own), ("", ""))
        if one and not (is_alone and one.isdigit() and len(own) > 2):
            pair_id = re.sub(r"^[_.\-/ (]+|[_.\-/ (]+$", "", key).replace("//", "/")
            pairs.append((pair_id or own[one], own[one], own[other]))
    return pairs if not is_alone or 4 * len(pairs) >= len(stems) else []


def _paths(sides: Mapping[str, list[str]]) -> list[str]:
    return [path for own in sides.values() for path in own]


def _incomplete(sides: Mapping[str, list[str]]) -> str:
    for side in SIDES:
        if side not in sides:
            return f"it has no {side} image"
        if len(sides[side]) > 1:
            return f"it has {len(sides[side])} {side} images: {', '.join(sorted(sides[side]))}"
    return "its two images are named in different ways"
