"""What the stage controller does at given rates of right and N/A votes, before anything is played.

The controller is a pure function of the rates (:mod:`vision_zero.training.controller`), so a recipe's constants can be tried
without a policy. Here the rates stay as they are; in a run they move with what is learned, so this says where the constants
lead and not what a run will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from vision_zero.config.learning import Stage, SwitchConfig
from vision_zero.training.controller import advance
from vision_zero.training.state import StageState, Switch

Rates = tuple[float, float]
"""Shares of right and of N/A votes in every iteration."""
USUAL_RATES: tuple[Rates, ...] = ((0.45, 0.2), (0.6, 0.05), (0.85, 0.02))
"""A policy that is little better than a guess (0.33), one that has learned something, and one that is ahead of the clues."""
SHOWN = 4
"""Stages that are listed."""
TRAINS: dict[Stage, str] = {"decision": "votes", "clue": "clues"}


@dataclass(frozen=True)
class Course:
    """Which stage each iteration trains, and every change of stage."""

    rates: Rates
    stages: tuple[Stage, ...]
    switches: tuple[Switch, ...]

    def count(self, stage: Stage) -> int:
        """Iterations of that stage."""
        return self.stages.count(stage)

    def text(self) -> str:
        """One line: ``60 % right, 5 % N/A: votes 80, clues 20 of 100 iterations: votes 20 (patience), clues 5 (threshold), …``"""
        right, abstained = (f"{100 * rate:g} %" for rate in self.rates)
        totals = ", ".join(f"{words} {self.count(stage)}" for stage, words in TRAINS.items())
        lengths = [(TRAINS[stage], len(list(run))) for stage, run in groupby(self.stages)]
        causes = [f" ({switch.cause})" for switch in self.switches]
        parts = [f"{words} {length}{cause}" for (words, length), cause in zip(lengths, [*causes, ""], strict=False)]
        more = ", …" if len(parts) > SHOWN else ""
        return f"{right} right, {abstained} N/A: {totals} of {len(self.stages)} iterations: {', '.join(parts[:SHOWN])}{more}"


def simulate(rules: SwitchConfig, iterations: int, rates: Rates) -> Course:
    """Let the controller decide after each of so many iterations, all of whose votes come at these rates."""
    state, stages = StageState.at_start(rules), []
    for _ in range(iterations):
        stages.append(state.stage)
        state = advance(state, *rates)
    return Course(rates, tuple(stages), state.switches)


def course_lines(rules: SwitchConfig, iterations: int, rates: tuple[Rates, ...] = USUAL_RATES) -> list[str]:
    """The simulation as lines of text, with a heading."""
    lines = [f"  {simulate(rules, iterations, rate).text()}" for rate in rates]
    return ["stages, were the rates of votes to stay as they are:", *lines]
