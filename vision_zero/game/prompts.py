"""Prompts: templates filled with what a seat may know, and nothing else.

A seat knows its role, all earlier clues, and its own earlier private reasoning. There are two sets of templates, one folder each:
``paper`` states the full rules, ``compact`` is short, for a small policy whose cost is dominated by the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from vision_zero.config.game import GameConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.jinja import TextTemplate, text_template

Role = Literal["civilian", "spy", "judge"]
PAPER = RewardsConfig()
"""The paper's rewards."""


@dataclass(frozen=True, slots=True)
class SpokenClue:
    """A public clue."""

    round: int
    seat: int
    text: str


def clue_prompt(
    config: GameConfig, seat: int, role: Role, clues: Sequence[SpokenClue], reasoning: str = "", *, round_: int
) -> str:
    """The request for a clue; ``reasoning`` is the seat's own, from earlier rounds."""
    return _template(config.prompt, "clue").render(**_values(config, seat, role, clues, reasoning), round=round_)


def vote_prompt(
    config: GameConfig,
    seat: int,
    role: Role,
    clues: Sequence[SpokenClue],
    reasoning: str = "",
    rewards: RewardsConfig = PAPER,
) -> str:
    """The request for a vote, which says what votes score; the judge's seat is 0."""
    spoken: dict[int, list[str]] = {seat: [] for seat in range(1, config.civilians + 2)}
    for clue in sorted(clues, key=attrgetter("round")):
        spoken[clue.seat].append(clue.text)
    by_seat = [{"seat": seat, "texts": texts} for seat, texts in spoken.items() if texts or config.names_silent]
    silent = [seat for seat, texts in spoken.items() if not texts and config.names_silent]
    return _template(config.prompt, "vote").render(
        **_values(config, seat, role, clues, reasoning), **_scores(rewards), clues_by_seat=by_seat, silent=silent
    )


def _values(config: GameConfig, seat: int, role: Role, clues: Sequence[SpokenClue], reasoning: str) -> dict[str, object]:
    return {
        "players": config.civilians + 1,
        "civilians": config.civilians,
        "rounds": config.rounds,
        "spy_image": config.spy_image,
        "voters": config.voters,
        "seat": seat,
        "role": role,
        "clues": clues,
        "reasoning": reasoning,
    }


def _scores(rewards: RewardsConfig) -> dict[str, str]:
    """What votes score; under ``brier`` those of a voter who is sure."""
    sure = {"right": 1.0, "wrong": -1.0, "abstain": -1.0}
    named = {"right": rewards.vote_right, "wrong": rewards.vote_wrong, "abstain": rewards.vote_abstain}
    return {name: f"{score:g}" for name, score in (sure if rewards.vote == "brier" else named).items()}


def _template(wording: str, name: str) -> TextTemplate:
    # Prompts are plain text for a model, not HTML: clues arrive already cleaned of control text (parsing.one_line).
    return text_template("vision_zero.game", f"{wording}/{name}.j2")
