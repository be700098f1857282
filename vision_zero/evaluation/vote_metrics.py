"""Metrics of votes on fixed clues: accuracy, and the reasoning before the vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from vision_zero.data.image_pair import ImagePair
from vision_zero.evaluation.forced_choice import forced_choices
from vision_zero.evaluation.head_to_head import caught, vote_on, vote_shares
from vision_zero.evaluation.verdict_metrics import verdict_metrics
from vision_zero.evaluation.written_checks import is_reasoned, rule_votes, writes_checks
from vision_zero.game.interface import GameState
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Transcript
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed

GREEDY, SAMPLED = "decision", "decision sampled"
"""What votes are called that are best guesses, and those that are drawn as in training."""
Values = dict[str, list[float]]
"""Values by unit, by name of the quantity."""


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
    the measures of :mod:`verdicts`.

    Args:
        pairs: of the states, in their order.
        prefix: how reasoned replies begin; None where nobody knows.
    """
    values: Values = {}
    by_id = {pair.pair_id: pair for pair in pairs}
    for manner in manners:
        voted = vote_on(game, states, replace(voters, greedy=manner == GREEDY), seed.child(manner))
        games = [state.transcript for state in voted]
        shares = vote_shares(games)
        values |= {f"{manner}/{name}": shares[name] for name in ("accuracy", "abstention", "unreadable")}
        values[f"{manner}/spy caught"] = caught(games)
        values[f"{manner}/forced"] = vote_shares(forced_choices(game, voted, voters))["accuracy"]
        ruled = rule_votes(games, seed.child("rule"))
        values[f"{manner}/rule on checks"] = [] if ruled is None else vote_shares(ruled)["accuracy"]
        values[f"{manner}/spy caught by the rule"] = [] if ruled is None else caught(ruled)
        replies = "replies" if manner == GREEDY else "replies sampled"
        values |= {f"{replies}/{name}": shares for name, shares in habits(_replies(games), prefix).items()}
        if manner == GREEDY:
            values |= verdict_metrics(games, by_id)
    return values


def pass_at(game: WhoIsTheSpy, states: Sequence[GameState], voters: Policy, samples: int, seed: Seed) -> list[float]:
    """For each game the share of its voters of whose ``samples`` sampled votes any is right."""
    drawn = [
        [state.transcript for state in vote_on(game, states, replace(voters, greedy=False), seed.child("sample", number))]
        for number in range(samples)
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


def _replies(games: Sequence[Transcript]) -> list[list[str]]:
    return [[move.reply for move in game.votes] for game in games]
