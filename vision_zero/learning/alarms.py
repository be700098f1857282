"""Four alarms, computed after each round: plateau, role collapse, N/A collapse, negative transfer.

Each is a pure function of what the round left behind, and says in one sentence what it saw. Only negative transfer blocks
promotion: the others tell where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from vision_zero.config.alarms import AlarmsConfig
from vision_zero.config.base import Config
from vision_zero.config.rewards import RewardsConfig
from vision_zero.evaluation.estimates import Scores
from vision_zero.game.transcript import Move, Transcript
from vision_zero.learning.controller import running_rates
from vision_zero.learning.state import StageState
from vision_zero.rewards.clue import clue_rewards

RECENT = 5
"""Decision iterations that N/A collapse looks back on."""
SUITES = ("questions/",)
"""Scores that a policy must not lose by playing: what it could do before, measured outside the game."""


class Alarm(Config):
    """One alarm after one round."""

    name: str
    is_raised: bool
    sentence: str
    blocks_promotion: bool = False


def alarms(
    state: StageState, games: Sequence[Transcript], scores: Scores, rewards: RewardsConfig, config: AlarmsConfig
) -> tuple[Alarm, ...]:
    """All four, raised or not.

    Args:
        state: the state after the round, with all measurements.
        games: the games that the round played.
        scores: the round's held-out scores.
    """
    return (
        plateau(state.measured, config),
        role_collapse(games, rewards, config),
        abstention_collapse(state, config),
        negative_transfer(scores, config),
    )


def plateau(measured: Sequence[Scores], config: AlarmsConfig) -> Alarm:
    """Is the win rate against the base flat over the last measurements?"""
    recent = [scores.named("wins/both").policy.mean for scores in measured[-config.plateau_rounds :]]
    if len(recent) < config.plateau_rounds:
        return Alarm(name="plateau", is_raised=False, sentence=f"{len(recent)} of {config.plateau_rounds} measurements so far")
    slope = float(np.polyfit(range(len(recent)), recent, 1)[0])
    gain = slope * (len(recent) - 1)
    sentence = f"the win rate moved by {100 * gain:+.1f} points over the last {len(recent)} measurements"
    return Alarm(name="plateau", is_raised=gain < config.plateau_gain, sentence=sentence)


def role_collapse(games: Sequence[Transcript], rewards: RewardsConfig, config: AlarmsConfig) -> Alarm:
    """Have clues become copies, silence or one template, or do votes no longer tell the roles apart?"""
    if not games:
        return Alarm(name="role collapse", is_raised=False, sentence="no games were played")
    clues = [move for game in games for move in game.clue_moves]
    by_role = {role: [move for move in clues if move.role == role] for role in ("spy", "civilian")}
    seen = {
        "clues repeat an earlier one of their game": (fmean(_is_copy(game) for game in _with_clues(games)), config.copied),
        "of the spy's clues are empty": (_empty(by_role["spy"]), config.empty),
        "of the civilians' clues are empty": (_empty(by_role["civilian"]), config.empty),
    }
    raised = [f"{share:.0%} {words}" for words, (share, bound) in seen.items() if share >= bound]
    for role, moves in by_role.items():
        said = [move.clue for move in moves if move.clue]
        if len(said) >= 20 and len(set(said)) / len(said) <= config.distinct:
            raised.append(f"{len(said)} clues of the {role} are only {len(set(said))} different ones")
    gap = fmean(_gap(game, rewards) for game in games)
    if gap <= config.role_gap:
        raised.append(f"the roles' rewards differ by {gap:.4f} only")
    return Alarm(
        name="role collapse", is_raised=bool(raised), sentence="; ".join(raised) or f"the roles' rewards differ by {gap:.3f}"
    )


def abstention_collapse(state: StageState, config: AlarmsConfig) -> Alarm:
    """Has voting N/A swallowed everything? Then every group has equal rewards, and nothing is learned again."""
    _, abstention = running_rates(state)
    zero = [
        record.metrics["zero_variance"]
        for record in state.history
        if record.stage == "decision" and "zero_variance" in record.metrics
    ][-RECENT:]
    share = fmean(zero) if zero else 0.0
    is_raised = abstention >= config.abstention or (len(zero) == RECENT and share >= config.zero_variance)
    sentence = f"running N/A rate {abstention:.0%}; {share:.0%} of the groups had equal rewards lately"
    return Alarm(name="N/A collapse", is_raised=is_raised, sentence=sentence)


def negative_transfer(scores: Scores, config: AlarmsConfig) -> Alarm:
    """Has the policy lost what the base could do outside the game?"""
    lost = [
        score
        for score in scores.scores
        if score.name.startswith(SUITES) and score.judgement == "worse" and score.difference is not None
    ]
    bad = [score for score in lost if score.difference is not None and score.difference.mean < -config.transfer_loss]
    if not bad:
        return Alarm(name="negative transfer", is_raised=False, sentence="no held-out suite fell below the base")
    worst = min(bad, key=lambda score: score.policy.mean - score.base.mean)
    sentence = (
        f"{worst.name} fell from {worst.base.mean:.0%} to {worst.policy.mean:.0%}, more than the "
        f"{config.transfer_loss:.0%} allowed: this version is not promoted"
    )
    return Alarm(name="negative transfer", is_raised=True, sentence=sentence, blocks_promotion=True)


def _with_clues(games: Sequence[Transcript]) -> list[tuple[list[str], Move]]:
    """Every readable clue with those said before it in its game."""
    pairs = []
    for game in games:
        earlier: list[str] = []
        for move in game.clue_moves:
            if move.clue:
                pairs.append((list(earlier), move))
                earlier.append(move.clue)
    return pairs or [([], Move(0, "civilian", "clue", 1, "", "", ""))]


def _is_copy(clue: tuple[list[str], Move]) -> bool:
    earlier, move = clue
    return move.clue in earlier


def _empty(moves: Sequence[Move]) -> float:
    return fmean(move.unreadable is not None for move in moves) if moves else 0.0


def _gap(game: Transcript, rewards: RewardsConfig) -> float:
    totals = {seat: sum(terms.values()) for seat, terms in clue_rewards(game, rewards).items()}
    return abs(totals[game.spy] - fmean(totals[seat] for seat in game.civilians))
