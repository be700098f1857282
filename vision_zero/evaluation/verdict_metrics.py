"""Accuracy of voters' verdicts on the other seats' statements, by kind of statement: from written checks and the scene graph.

A verdict is right if it says of a statement what holds in the original, the picture that voters see. All statements count that
the other seats made, whether a verdict on them can be read or not: one that cannot is not right, so that nothing is gained by
checking only what is easy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.registry import has_scene_graph
from vision_zero.domains.scenes.statements import Count, Relation, SceneFacts, Single, Thing, parse, parts_of
from vision_zero.evaluation.written_checks import others, read_checks, writes_checks
from vision_zero.game.transcript import Move, Transcript

KINDS: Mapping[str, type[Single]] = {"things": Thing, "counts": Count, "relations": Relation}
"""Kinds of statements by name."""
NAMES = (
    *(f"verdicts/{kind}" for kind in ("all", *KINDS)),
    *(f"false denied/{kind}" for kind in ("all", *KINDS)),
    "true denied/all",
    "checks/unreadable",
)
"""What :func:`verdict_metrics` returns."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement that a voter heard.

    Attributes:
        kind: a name of ``KINDS``.
        is_true: it holds in the voter's picture.
        verdict: what the voter wrote; None where nothing can be read.
    """

    kind: str
    is_true: bool
    verdict: bool | None


def verdict_metrics(transcripts: Sequence[Transcript], pairs: Mapping[str, ImagePair]) -> dict[str, list[float]]:
    """Shares by game: verdicts that are right and false statements that are denied, of each kind; true ones that are denied, and
    statements without a readable verdict.

    Only games on scene pairs count, and of each measure those that hold such a statement: the same ones for every voter that
    heard the same clues. All lists are empty where most replies hold no check.
    """
    scenes = [transcript for transcript in transcripts if has_scene_graph(pairs[transcript.pair_id])]
    values: dict[str, list[float]] = {name: [] for name in NAMES}
    if not writes_checks(move.reply for transcript in scenes for move in transcript.votes):
        return values
    for transcript in scenes:
        facts = pairs[transcript.pair_id].original_facts
        judged = [one for move in transcript.votes for one in judged_by(move, transcript, facts)]
        for name, shares in _shares(judged).items():
            if shares:
                values[name].append(fmean(shares))
    return values


def judged_by(move: Move, transcript: Transcript, facts: SceneFacts) -> Iterator[Judged]:
    """What a voter wrote of each statement of the other seats that can be judged; ``facts`` are of its picture."""
    verdicts = {(check.seat, check.place): check.holds for check in read_checks(move.reply)}
    for seat in others(move, transcript):
        place = 0
        for clue in transcript.heard():
            if clue.seat != seat:
                continue
            statement = parse(clue.text)
            if statement is None:
                place += 1  # what is no statement is one thing to check all the same
                continue
            for part in parts_of(statement):
                kind = next(name for name, type_ in KINDS.items() if isinstance(part, type_))
                yield Judged(kind, part.holds(facts), verdicts.get((seat, place)))
                place += 1


def _shares(judged: Sequence[Judged]) -> dict[str, list[bool]]:
    shares: dict[str, list[bool]] = {"checks/unreadable": [one.verdict is None for one in judged]}
    for kind in ("all", *KINDS):
        own = [one for one in judged if kind in ("all", one.kind)]
        shares[f"verdicts/{kind}"] = [one.verdict == one.is_true for one in own]
        shares[f"false denied/{kind}"] = [one.verdict is False for one in own if not one.is_true]
    shares["true denied/all"] = [one.verdict is False for one in judged if one.is_true]
    return shares
