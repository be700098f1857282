"""Six alarms, computed after each round: plateau, role collapse, vagueness, N/A collapse, negative transfer, unreadable replies.

Each is a pure function of the round's results with a one-sentence message. Negative transfer and unreadable replies block
promotion; the others are warnings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

import numpy as np

from vision_zero.config.evaluation import AlarmsConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config_base import Config
from vision_zero.evaluation.comparison import Doubt
from vision_zero.evaluation.estimates import Score, Scores
from vision_zero.evaluation.intervals import stretch
from vision_zero.game.transcript import Transcript
from vision_zero.rewards.clue import clue_totals
from vision_zero.training.controller import running_rates
from vision_zero.training.state import StageState

RECENT = 5
"""Decision iterations that N/A collapse looks back on."""
LITTLE = 0.5
"""Groups with equal rewards are a collapse where fewer votes than this share are right."""
SUITES = ("questions/",)
"""Scores that a policy must not lose by playing: what it could do before, measured outside the game."""
ENOUGH_CLUES = 20
"""Fewer clues of a role tell nothing about a template."""


class Alarm(Config):
    """One alarm after one round."""

    name: str
    is_raised: bool
    sentence: str
    blocks_promotion: bool = False

    @property
    def state(self) -> str:
        """One word for tables."""
        return "RAISED" if self.is_raised else "quiet"


class Alarms(Config):
    """All alarms after one round, raised or not."""

    iteration: int
    alarms: tuple[Alarm, ...] = ()

    @property
    def raised(self) -> tuple[Alarm, ...]:
        return tuple(alarm for alarm in self.alarms if alarm.is_raised)

    @property
    def objection(self) -> str | None:
        """Why this round's policy must not be promoted; None if it may be."""
        return next((f"{alarm.name}: {alarm.sentence}" for alarm in self.raised if alarm.blocks_promotion), None)


def watch(
    state: StageState,
    games: Sequence[Transcript],
    scores: Scores,
    rewards: RewardsConfig,
    config: AlarmsConfig,
    *,
    confidence: float,
) -> Alarms:
    """Compute all six for a round.

    Args:
        state: the state after the round, with all measurements.
        games: the games that the round played.
        scores: the round's held-out scores.
        confidence: of the intervals in them.
    """
    found = (
        plateau(state.evaluations, config),
        role_collapse(games, rewards, config),
        vagueness(scores, config),
        abstention_collapse(state, config),
        negative_transfer(scores, config, confidence, state.refusals),
        unreadable_replies(scores, config),
    )
    return Alarms(iteration=state.iteration, alarms=found)


def plateau(measured: Sequence[Scores], config: AlarmsConfig) -> Alarm:
    """Is the win rate against the base flat over the last measurements?"""
    recent = [scores.named("wins/both").policy.mean for scores in measured[-config.plateau_rounds :]]
    if len(recent) < config.plateau_rounds:
        return Alarm(name="plateau", is_raised=False, sentence=f"{len(recent)} of {config.plateau_rounds} measurements so far")
    slope = float(np.polyfit(range(len(recent)), recent, 1)[0])
    gain = slope * (len(recent) - 1)
    points = round(100 * gain, 1) + 0.0  # never "-0.0"
    sentence = f"the win rate moved by {points:+.1f} points over the last {len(recent)} measurements"
    return Alarm(name="plateau", is_raised=gain < config.plateau_gain, sentence=sentence)


def role_collapse(games: Sequence[Transcript], rewards: RewardsConfig, config: AlarmsConfig) -> Alarm:
    """Are clues copies, empty or one template, or do votes no longer separate the roles?"""
    if not games:
        return Alarm(name="role collapse", is_raised=False, sentence="no games were played")
    clues = [move for game in games for move in game.clue_moves]
    seen = [("clues repeat one of the other role", _share(_copies(games)), config.copied)]
    for role in ("spy", "civilian"):
        own = [move for move in clues if move.role == role]
        said = Counter(move.clue for move in own if move.clue)
        most, times = said.most_common(1)[0] if said.total() >= ENOUGH_CLUES else ("", 0)
        seen.append((f"{role} clues are empty", _share(not move.clue for move in own), config.empty))
        seen.append((f"{role} clues are “{most[:60]}”", times / max(said.total(), 1), config.template))
    raised = [f"{share:.0%} of the {words}" for words, share, bound in seen if share >= bound]
    gap = fmean(_gap(game, rewards) for game in games)
    apart = f"the roles' rewards differ by {gap:.3f} a game"
    if gap <= config.role_gap:
        raised.append(f"{apart} only")
    return Alarm(name="role collapse", is_raised=bool(raised), sentence="; ".join(raised) or apart)


def abstention_collapse(state: StageState, config: AlarmsConfig) -> Alarm:
    """Are nearly all votes N/A? Then the rewards of every group are equal and there is no gradient."""
    _, abstention = running_rates(state)
    recent = [record for record in state.history if record.stage == "decision" and "zero_variance" in record.metrics][-RECENT:]
    equal = fmean(record.metrics["zero_variance"] for record in recent) if recent else 0.0
    right = fmean(record.accuracy for record in recent) if recent else 0.0
    # Groups of right votes only are equal too: that is success.
    is_stuck = len(recent) == RECENT and equal >= config.zero_variance and right < LITTLE
    is_raised = abstention >= config.abstention or is_stuck
    groups = f"; {equal:.0%} of the last groups had equal rewards, {right:.0%} of their votes were right" if recent else ""
    is_measured = any(record.has_votes for record in state.history)
    sentence = f"running N/A rate {abstention:.0%}{groups}" if is_measured else "no votes so far"
    return Alarm(name="N/A collapse", is_raised=is_raised, sentence=sentence)


def negative_transfer(scores: Scores, config: AlarmsConfig, confidence: float, refusals: int = 0) -> Alarm:
    """Is the policy worse than the base outside the game?

    Several suites are compared after every round, and by chance one of them will look worse sooner or later. So a loss counts
    only outside an interval that is widened for their number (Bonferroni correction). The questions are the same in every run, so
    after each refusal the interval is narrower: :func:`vision_zero.evaluation.intervals.after_refusals`.
    """
    suites = [(score, score.difference) for score in scores.scores if score.name.startswith(SUITES) and score.difference]
    # The intervals in the scores are corrected already, for all that is compared there and not for the suites alone.
    wider = stretch(confidence, len(suites), already=scores.comparisons) if suites else 1.0
    wider *= Doubt.after(refusals, confidence, max(1, len(suites))).of_worse
    bad = [
        score
        for score, difference in suites
        if difference.mean < -config.transfer_loss and difference.mean + wider * (difference.high - difference.low) / 2 < 0
    ]
    if not bad:
        return Alarm(name="negative transfer", is_raised=False, sentence="no held-out suite fell too far below the base")
    worst = min(bad, key=lambda score: score.policy.mean - score.base.mean)
    sentence = (
        f"{worst.name} is at {worst.policy.mean:.0%}, the base at {worst.base.mean:.0%}: "
        f"a loss beyond the {config.transfer_loss:.0%} allowed"
    )
    return Alarm(name="negative transfer", is_raised=True, sentence=sentence, blocks_promotion=True)


def vagueness(scores: Scores, config: AlarmsConfig) -> Alarm:
    """Do held-out clues name far fewer attributes than the base's? A vague clue fits both images and gives nothing away."""
    score = _measured(scores, "clues/attributes")
    if score is None:
        return Alarm(name="vagueness", is_raised=False, sentence="no clues that can be held against a scene graph")
    ours, theirs = score.policy.mean, score.base.mean
    sentence = f"held-out clues name {ours:.1f} attributes, the base's {theirs:.1f}"
    return Alarm(name="vagueness", is_raised=ours < config.vague * theirs, sentence=sentence)


def unreadable_replies(scores: Scores, config: AlarmsConfig) -> Alarm:
    """Are most held-out votes and clues unreadable? A policy that ignores the output format does not play the game."""
    shares = {
        words: score.policy.mean
        for name, words in (("decision/unreadable", "votes"), ("clues/unreadable", "clues"))
        if (score := _measured(scores, name)) is not None
    }
    domains = f" on {' and '.join(scores.domains)}" if scores.domains else ""
    seen = " and ".join(f"{share:.0%} of the held-out {words}" for words, share in shares.items())
    is_raised = any(share > config.unreadable for share in shares.values())
    sentence = f"{seen}{domains} cannot be read" if seen else "nothing was measured"
    return Alarm(name="unreadable replies", is_raised=is_raised, sentence=sentence, blocks_promotion=is_raised)


def _measured(scores: Scores, name: str) -> Score | None:
    """The score of that name, if it was measured for the policy."""
    return next((score for score in scores.scores if score.name == name and score.policy.units), None)


def _copies(games: Sequence[Transcript]) -> Iterator[bool]:
    """For each readable clue that the other role has spoken before: has the other role said the same?

    Clues of one role may well be alike: civilians who tell all that they see say the same, and that gives the spy away.
    """
    for game in games:
        spoken = [(clue.seat == game.spy, clue.text) for clue in game.heard()]
        for place, (is_spy, text) in enumerate(spoken):
            others = [said for by_spy, said in spoken[:place] if by_spy != is_spy]
            if others:
                yield text in others


def _share(claims: Iterable[bool]) -> float:
    """Share of true values; 0 for none."""
    listed = list(claims)
    return fmean(listed) if listed else 0.0


def _gap(game: Transcript, rewards: RewardsConfig) -> float:
    totals = clue_totals(game, rewards)
    return abs(totals[game.spy] - fmean(totals[seat] for seat in game.civilians))
