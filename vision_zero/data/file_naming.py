"""Which files make a pair, by their names: the ways in which people and published data sets name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
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
    """Patterns of a path without its suffix, one for each side; their groups together are the pair's id.

    ``words``: a path that holds none of them fits neither pattern, which is told much faster.
    """

    original: re.Pattern[str]
    modified: re.Pattern[str]
    words: tuple[str, ...] = ("",)

    def match(self, stem: str) -> tuple[str, str] | None:
        """The pair's id and the side, where the path fits."""
        lower = stem.lower()
        if not any(word in lower for word in self.words):
            return None
        for side, pattern in (("modified", self.modified), ("original", self.original)):
            found = pattern.fullmatch(stem)
            if found is not None:
                return "".join(group or "" for group in found.groups()), side
        return None


_PICTURES = r"(?:[_\- ]?(?:ima?ge?s?|pic(?:ture)?s?|photos?))?"
"""What may follow a side's word: "original_image", "edited images"."""


def _by_ending(original: str, modified: str) -> _Rule:
    """``7_before``, ``IMG 7 (before)``, ``7before``, ``sceneBefore``."""

    def pattern(words: str) -> str:
        capital = "|".join(word.capitalize() for word in words.split("|"))
        apart = rf"(?:[_\-. ]+[(\[]?|[(\[]|(?<=\d))(?i:{words})"
        return rf"(.*[^/_\-. (\[])(?:{apart}|(?<=[a-z])(?:{capital}))(?i:{_PICTURES})[)\]]?"

    return _rule(original, modified, pattern)


def _by_beginning(original: str, modified: str) -> _Rule:
    """``before_7``, ``set/before-7``."""
    return _rule(original, modified, lambda words: rf"(?i)((?:.+/)?)(?:{words}){_PICTURES}[_\-. ]+([^/]+)")


def _by_name(original: str, modified: str) -> _Rule:
    """``7/before``: a folder for each pair."""
    return _rule(original, modified, lambda words: rf"(?i)(?:(.+)/)?(?:{words}){_PICTURES}")


def _by_folder(original: str, modified: str) -> _Rule:
    """``before/7``, ``set/before_images/7``, ``set_before/7``."""
    return _rule(original, modified, lambda words: rf"(?i)((?:.+/)?(?:[^/]*[_\- ])?)(?:{words}){_PICTURES}/(.+)")


def _by_folder_and_ending(original: str, modified: str) -> _Rule:
    """``before/7_before``."""
    return _rule(
        original, modified, lambda words: rf"(?i)((?:.+/)?)(?:{words}){_PICTURES}/(.*[^_\-. ])[_\-. ]+(?:{words}){_PICTURES}"
    )


def _rule(original: str, modified: str, pattern: Callable[[str], str]) -> _Rule:
    words = tuple(word.removesuffix("s?") for word in f"{original}|{modified}".split("|"))
    return _Rule(re.compile(pattern(original), re.DOTALL), re.compile(pattern(modified), re.DOTALL), words)


def _literal(original: str, modified: str) -> _Rule:
    return _Rule(re.compile(original), re.compile(modified))


_WORDS = (
    ("original|orig", "modified|mod"),
    ("original|orig", "edited|edit"),
    ("before|before_edit", "after|after_edit"),
    ("input", "output|output1"),
    ("input", "edited|target"),
    ("source|src", "target|tgt|trg|dst"),
    ("source|src", "edited|edit"),
    ("pre|pre_disaster", "post|post_disaster"),
)
_FOLDERS = (
    ("originals?|orig", "modified|mod"),
    ("originals?|orig", "edited|edits?"),
    ("befores?", "afters?"),
    ("inputs?", "outputs?"),
    ("inputs?", "edited|edits?|targets?"),
    ("sources?|src", "targets?|tgt|trg|dst"),
    ("sources?|src", "edited|edits?"),
    ("pre", "post"),
)
_ENDINGS = tuple(_by_ending(*words) for words in _WORDS)

FAMILIES: tuple[tuple[_Rule, ...], ...] = (
    (
        *(_by_folder_and_ending(*words) for words in _WORDS),
        *_ENDINGS,
        *(_by_name(*words) for words in _WORDS),
        *(_by_beginning(*words) for words in _WORDS),
    ),
    (
        # CLEVR-Change: nsc_images only move the camera.
        _literal(r"((?:.+/)?)images/CLEVR_default_(\d+)", r"((?:.+/)?)sc_images/CLEVR_semantic_(\d+)"),
        *(_by_folder(*words) for words in _FOLDERS),
        # Data sets of change detection.
        _literal(r"((?:.+/)?)A/(.+)", r"((?:.+/)?)B/(.+)"),
        _literal(r"((?:.+/)?)a/(.+)", r"((?:.+/)?)b/(.+)"),
        *(
            _literal(rf"((?:.+/)?){name}_?1/(.+)", rf"((?:.+/)?){name}_?2/(.+)")
            for name in ("T", "t", "time", "im", "img", "image")
        ),
        _literal(r"((?:.+/)?)(?:images?|imgs?)/(.+)", r"((?:.+/)?)edited/(.+)"),
    ),
    (
        _by_ending("a", "b"),
        _literal(r"(.+)/A", r"(.+)/B"),
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
    if suffix in PICTURE_SUFFIXES or (_EXTENSION.fullmatch(suffix) and not any(rule.match(path) for rule in _ENDINGS)):
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
                unique = pair_id if pair_id and pair_id not in taken else own["original"][0]
                named.pairs.append((unique, own["original"][0], own["modified"][0]))
                taken.add(pair_id)
                for path in (own["original"][0], own["modified"][0]):
                    left.pop(path)
            elif family is not FAMILIES[-1]:
                # A number or a letter at the end of a name does not tell that there is another picture.
                incomplete.setdefault(pair_id, own)
    for pair_id, own in incomplete.items():
        paths = [path for own_paths in own.values() for path in own_paths]
        if all(path in left for path in paths):
            named.problems[pair_id or paths[0]] = _incomplete(own)
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
