"""Training curves over all runs so far: votes, rewards, KL, lengths and held-out scores, with the stage of each iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from vision_zero.config.evaluation import ScriptedName
from vision_zero.config.learning import Stage
from vision_zero.evaluation.metric_names import is_share
from vision_zero.report.line_chart import Band, Chart, Line, Point, Threshold
from vision_zero.report.pages import render_page
from vision_zero.report.reply_stats import unreadable_share
from vision_zero.training.progress import RATIO
from vision_zero.training.state import IterationRecord, StageState

BLUE, RED, GREEN, GOLD, GREY, PURPLE = "#1f5fae", "#b3261e", "#1b7f4b", "#c58a1c", "#7a8594", "#7b4fa3"
BOUND_COLORS = {"oracle": GREEN, "guesser": GOLD, "random": RED}
OPPONENT_COLORS = {
    "oracle": GREEN,
    "guesser": "#0f766e",
    "random": RED,
    "mute": GREY,
    "copycat": GOLD,
    "liar": PURPLE,
    "vague": "#a0522d",
}
ROLES = (("spy's clues", "clue/spy", RED), ("civilians' clues", "clue/civilian", BLUE), ("votes", "vote", GOLD))
"""Kinds of replies: name, beginning of their metrics, and colour."""
STAGE_COLORS = {"clue": "#e8eefb", "decision": "#fdf1dd"}


def curves_page(state: StageState) -> str:
    """The page of the training curves."""
    return render_page("curves.html.j2", state=state, charts=curve_charts(state))


def curve_charts(state: StageState) -> list[Chart]:
    """All charts that have data."""
    if not state.history:
        return []
    bands = stage_bands(state.history)
    charts = [replace(chart, bands=bands) for chart in _of_training(state)]
    if state.evaluations:
        charts += _held_out(state)
    return [chart for chart in charts if any(line.points for line in chart.lines)]


def stage_bands(history: Sequence[IterationRecord]) -> list[Band]:
    """Ranges of iterations of one stage each."""
    bands: list[Band] = []
    for record in history:
        start = record.iteration - 0.5
        if bands and bands[-1].color == STAGE_COLORS[record.stage] and bands[-1].stop == start:
            bands[-1] = Band(bands[-1].start, start + 1, bands[-1].color)
        else:
            bands.append(Band(start, start + 1, STAGE_COLORS[record.stage]))
    return bands


def _of_training(state: StageState) -> list[Chart]:
    """Curves of what each iteration measured."""
    history, rules = state.history, state.rules
    voted = [record for record in history if record.has_votes]
    votes = [
        Line("right", [(record.iteration, record.running_accuracy) for record in voted], BLUE),
        Line("N/A", [(record.iteration, record.running_abstention) for record in voted], GOLD),
        Line("single iterations", [(record.iteration, record.accuracy) for record in voted], BLUE, is_faint=True),
    ]
    switches = [
        Threshold("to clue", rules.accuracy_to_clue, GREEN),
        Threshold("to decision", 1 - rules.error_to_decision, RED),
    ]
    rewards = [Line("spy", _metric(history, "reward/spy"), RED), Line("civilians", _metric(history, "reward/civilian"), BLUE)]
    equal = [
        Line("votes of a prompt", _metric(_of_stage(history, "decision"), "zero_variance"), GOLD, largest_gap=1),
        Line("clues of a game", _metric(_of_stage(history, "clue"), "zero_variance"), BLUE, largest_gap=1),
    ]
    # How the trained model's probabilities of the replies differ from those of the server that sampled them.
    ratios = [Line(of, _metric(history, f"{RATIO}/{of}"), color) for of, color in (("min", GREY), ("mean", BLUE), ("max", RED))]
    limited = [Line("at a bound, or left out", _metric(history, "sampling/limited"), GOLD)]
    return [
        Chart("Votes: right, and N/A", votes, switches, is_share=True),
        Chart("Clue reward by role", rewards),
        Chart("KL to the base, per token", _by_role(history, "kl")),
        Chart("Length of replies, in tokens", _by_role(history, "tokens")),
        Chart("Length of replies, in words", _by_role(history, "words")),
        Chart("Reasoned replies", _by_role(history, "reasoned"), is_share=True),
        Chart("Entropy, nats per token", _by_role(history, "entropy")),
        Chart("Unreadable replies", _unreadable(history), is_share=True),
        Chart("Groups with equal rewards", equal, is_share=True),
        Chart("Importance sampling ratio", ratios),
        Chart("Limited ratios", limited, is_share=True),
    ]


def _held_out(state: StageState) -> list[Chart]:
    """Curves of the held-out scores, with those of the frozen base and the levels of scripted players on the same games."""

    def lines(name: str, policy: str = "policy", base: str = "frozen base", colors: tuple[str, str] = (BLUE, GREY)) -> list[Line]:
        return [Line(policy, _scored(state, name), colors[0]), Line(base, _scored(state, name, of_base=True), colors[1])]

    def beside_base(title: str, name: str, more: Sequence[Line] = (), bounds: str = "") -> Chart:
        levels = [
            Threshold(f"{bound.player} voter", bound.estimate.mean, BOUND_COLORS[bound.player])
            for bound in state.evaluations[-1].bounds
            if bound.name == (bounds or name)
        ]
        return Chart(title, [*lines(name), *more], levels, is_share=is_share(name))

    opponents = [name for name in get_args(ScriptedName) if _scored(state, f"wins/against {name}")]
    wins = [Line("against the base", _scored(state, "wins/both"), BLUE)]
    wins.append(Line("the same, votes sampled", _scored(state, "wins sampled/both"), "#6d9eeb"))
    wins += [Line(name, _scored(state, f"wins/against {name}"), OPPONENT_COLORS[name]) for name in opponents]
    own_rule = Line("the rule on its own checks", _scored(state, "decision/rule on checks"), "#6d9eeb")
    base_rule = Line("the rule on the base's checks", _scored(state, "decision/rule on checks", of_base=True), PURPLE)
    votes = beside_base(
        "Held-out games: forced choice right", "decision/forced", (own_rule, base_rule), bounds="decision/accuracy"
    )
    verdicts = [*lines("verdicts/all", "right", "base"), *lines("false denied/all", "false denied", "base", (GREEN, GOLD))]
    charts = [
        votes,
        beside_base("Held-out games: right votes", "decision/accuracy"),
        Chart("Held-out verdicts", verdicts, is_share=True),
        beside_base("Held-out votes that are reasoned", "replies/reasoned"),
        beside_base("Words of a held-out vote", "replies/words"),
        beside_base("Attributes of a held-out clue", "clues/attributes"),
        beside_base("Held-out games: spy caught", "decision/spy caught"),
        Chart("Held-out games: wins", wins, is_share=True),
        beside_base("Held-out scene questions", "questions/all"),
    ]
    return [replace(chart, lines=[line for line in chart.lines if line.points]) for chart in charts]


def _scored(state: StageState, name: str, of_base: bool = False) -> list[Point]:
    """A held-out score by iteration; at iteration 0 the policy is the base."""
    found = [(scores.iteration, score) for scores in state.evaluations for score in scores.scores if score.name == name]
    start = [(0, score.base.mean) for iteration, score in found[:1] if iteration > 0 and score.base.units]
    whose = [(iteration, score.base if of_base else score.policy) for iteration, score in found]
    points = [(iteration, estimate.mean) for iteration, estimate in whose if estimate.units]
    return [*start, *points] if points else []


def _by_role(history: Sequence[IterationRecord], name: str) -> list[Line]:
    """A metric of the clues of each role, and of votes; training metrics of votes exist only in the decision stage."""
    points = {prefix: _metric(history, f"{prefix}/{name}") for _, prefix, _ in ROLES}
    points["vote"] = points["vote"] or _metric(_of_stage(history, "decision"), name)
    return [Line(who, points[prefix], color, largest_gap=1) for who, prefix, color in ROLES]


def _unreadable(history: Sequence[IterationRecord]) -> list[Line]:
    def points(prefix: str) -> list[Point]:
        shares = ((record.iteration, unreadable_share([record], prefix)) for record in history)
        return [(iteration, share) for iteration, share in shares if share is not None]

    return [Line(who, points(prefix), color) for who, prefix, color in ROLES]


def _of_stage(history: Sequence[IterationRecord], stage: Stage) -> list[IterationRecord]:
    return [record for record in history if record.stage == stage]


def _metric(history: Sequence[IterationRecord], name: str) -> list[Point]:
    return [(record.iteration, record.metrics[name]) for record in history if name in record.metrics]
