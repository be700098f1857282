"""Metrics of votes on fixed clues: accuracy, the reasoning before the vote, and the verdicts on the other seats' statements, by
kind of statement, from written checks and the scene graph.

A verdict is right if it says of a statement what holds in the original, the image that voters see. All statements count that
the other seats made, whether a verdict on them can be read or not: one that cannot is not right, so that nothing is gained by
checking only what is easy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.registry import has_scene_graph
from vision_zero.domains.scenes.statements import Count, Relation, SceneFacts, Single, Thing, parse, parts_of
from vision_zero.evaluation.forced_choice import forced_choices
from vision_zero.evaluation.head_to_head import caught, games_of, vote_on, vote_shares
from vision_zero.evaluation.written_checks import is_reasoned, others, read_checks, rule_votes, writes_checks
from vision_zero.game.interface import GameState
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Move, Transcript
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed

GREEDY, SAMPLED = "decision", "decision sampled"
"""What votes are called that are best guesses, and those that are drawn as in training."""
Values = dict[str, list[float]]
"""Values by unit, by name of the quantity."""
KINDS: Mapping[str, type[Single]] = {"things": Thing, "counts": Count, "relations": Relation}
"""Kinds of statements by name."""


def vote_metrics(
    game: WhoIsTheSpy,
    states: Sequence[GameState],
    pairs: Sequence[ImagePair],
    voters: Policy,
    seed: Seed,
    *,
    manners: Sequence[str] = (GREEDY, SAMPLED),
    prefix: str | None = None,
) -> Values:
    """Measures by game of the votes that these voters cast on the clues of these states, greedy and sampled.

    ``<manner>/accuracy``, ``abstention``, ``unreadable``, ``spy caught``: of the votes as they are. ``<manner>/forced``: right
    where N/A is not allowed. ``<manner>/rule on checks`` and ``<manner>/spy caught by the rule``: if the rule on the voter's own
    written checks votes in its place. ``replies/…``: share of reasoned replies, and words. Of best guesses on scene pairs also
    the measures of :func:`verdict_metrics`.

    Args:
        pairs: of the states, in their order.
        prefix: how reasoned replies begin; None where nobody knows.
    """
    values: Values = {}
    by_id = {pair.pair_id: pair for pair in pairs}
    for manner in manners:
        voted = vote_on(game, states, replace(voters, greedy=manner == GREEDY), seed.child(manner))
        games = games_of(voted)
        shares = vote_shares(games)
        values |= {f"{manner}/{name}": shares[name] for name in ("accuracy", "abstention", "unreadable")}
        values[f"{manner}/spy caught"] = caught(games)
        values[f"{manner}/forced"] = vote_shares(forced_choices(game, voted, voters))["accuracy"]
        ruled = rule_votes(games, seed.child("rule"))
        values[f"{manner}/rule on checks"] = [] if ruled is None else vote_shares(ruled)["accuracy"]
        values[f"{manner}/spy caught by the rule"] = [] if ruled is None else caught(ruled)
        replies = "replies" if manner == GREEDY else "replies sampled"
        written = [[move.reply for move in game.votes] for game in games]
        values |= {f"{replies}/{name}": shares for name, shares in habits(written, prefix).items()}
        if manner == GREEDY:
            values |= verdict_metrics(games, by_id)
    return values


def pass_at(game: WhoIsTheSpy, states: Sequence[GameState], voters: Policy, samples: int, seed: Seed) -> list[float]:
    """For each game the share of its voters of whose ``samples`` sampled votes any is right."""
    drawn = [
        games_of(vote_on(game, states, replace(voters, greedy=False), seed.child("sample", number))) for number in range(samples)
    ]
    return [
        fmean(any(move.vote == games[0].spy for move in moves) for moves in zip(*(one.votes for one in games), strict=True))
        for games in zip(*drawn, strict=True)
    ]


def habits(replies: Sequence[Sequence[str]], prefix: str | None) -> Values:
    """How replies are written, by unit, each with the replies of one: ``reasoned``, a share, and ``words``, a number.

    Where nobody knows what a reasoned reply looks like (no prefix, and no written checks), ``reasoned`` has no units.
    """
    is_known = prefix is not None or writes_checks(reply for unit in replies for reply in unit)
    return {
        "reasoned": [fmean(is_reasoned(reply, prefix) for reply in unit) for unit in replies] if is_known else [],
        "words": [fmean(len(reply.split()) for reply in unit) for unit in replies],
    }


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement that a voter heard.

    Attributes:
        kind: a name of ``KINDS``.
        is_true: it holds in the voter's image.
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
    values: dict[str, list[float]] = {name: [] for name in _shares(())}
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
    """What a voter wrote of each statement of the other seats that can be judged; ``facts`` are of its image."""
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
    by_kind = {kind: [one for one in judged if kind in ("all", one.kind)] for kind in ("all", *KINDS)}
    return {
        **{f"verdicts/{kind}": [one.verdict == one.is_true for one in own] for kind, own in by_kind.items()},
        **{f"false denied/{kind}": [one.verdict is False for one in own if not one.is_true] for kind, own in by_kind.items()},
        "true denied/all": [one.verdict is False for one in judged if one.is_true],
        "checks/unreadable": [one.verdict is None for one in judged],
    }
