"""Settings of evaluation, and of what blocks promotion: alarms, and the gate on suites."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from vision_zero.config.game import GameConfig
from vision_zero.config_base import Config, Share

ScriptedName = Literal["oracle", "guesser", "random", "mute", "copycat", "liar", "vague"]
"""Scripted players (:mod:`vision_zero.policy.scripted`)."""


class EvaluationConfig(Config):
    """The evaluation on held-out pairs after each round; nothing is trained on them."""

    seed: int = 250929541
    """Seed of the held-out pairs, games and questions; independent of the run's seed, so that runs are comparable."""
    pairs: int = Field(64, ge=4)
    """Held-out pairs. Each gives one game for the votes, and one for each side of the win rate."""
    questions: int = Field(40, ge=4)
    """Questions of each family (colour, shape, count, position)."""
    game: GameConfig | None = None
    """Rules of the held-out games; null: those of training. Set it to evaluate policies that were trained on different games."""
    opponents: tuple[ScriptedName, ...] = ()
    """Scripted opponents on scene pairs, beside the frozen base. Each costs two games a pair, and as many of the base."""
    checkpoints: tuple[str, ...] = ()
    """Opponents that were trained from the same base, as folders (``runs/<run>/policy``); each costs as much as a scripted
    one."""
    samples: int = Field(0, ge=0, le=64)
    """Replies sampled for each vote and question for pass@n (is any of them right); 0: none. Each costs as much as the votes of
    the held-out games and the questions."""
    reasoning_prefix: str | None = Field(None, min_length=1, max_length=200)
    """The words that reasoned replies begin with, for a policy that can reply with or without reasoning. The frozen base is then
    also evaluated with each reply forced to begin with them (*base made to reason*). Null: the prefix of the embedded policy;
    for any other base there is no such evaluation."""
    question_tokens: int = Field(64, ge=1)
    """Longest answer to a question, in tokens; the embedded policy lists the scene first."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples for each interval."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals."""

    @field_validator("checkpoints")
    @classmethod
    def _have_names_of_their_own(cls, checkpoints: tuple[str, ...]) -> tuple[str, ...]:
        name, times = max(Counter(map(checkpoint_name, checkpoints)).items(), key=lambda entry: entry[1], default=("", 0))
        if times > 1:
            raise ValueError(f"{times} of them are called {name!r}, which names their scores: rename the folders")
        return checkpoints


def checkpoint_name(folder: str) -> str:
    """What the scores against a checkpoint are called: the name of its folder, of ``runs/<run>/policy`` the run's."""
    path = Path(folder)
    return (path.parent if path.name == "policy" else path).name.replace(":", "-")


class AlarmsConfig(Config):
    """When an alarm is raised. Negative transfer and unreadable replies also block promotion."""

    plateau_rounds: int = Field(5, ge=3)
    """Plateau: over this many held-out evaluations …"""
    plateau_gain: Share = 0.02
    """… the win rate against the base rises by less than this, by a linear fit."""
    copied: Share = 0.7
    """Role collapse: share of clues that repeat, word for word, an earlier clue of the other role in their game. Players that
    each name a random object already reach a quarter, since scenes have few objects."""
    empty: Share = 0.3
    """Role collapse: share of unreadable clues of either role."""
    template: Share = 0.5
    """Role collapse: share of a role's readable clues that equal its most frequent one."""
    role_gap: float = Field(0.005, ge=0.0)
    """Role collapse: mean difference between the spy's and the civilians' reward; at or below this value the roles are equal."""
    vague: Share = 0.6
    """Vagueness: held-out clues name fewer attributes than this share of the number in the base's clues."""
    abstention: Share = 0.8
    """N/A collapse: running N/A rate."""
    zero_variance: Share = 0.9
    """N/A collapse: recent share of groups of votes with equal rewards, while most votes are not right."""
    transfer_loss: Share = 0.05
    """Negative transfer: a suite's score is below the base's by more than this, and significantly so (Bonferroni-corrected for
    the number of suites). Blocks promotion."""
    unreadable: Share = 0.5
    """Unreadable replies: more than this share of the held-out votes, or of the clues, is unreadable. Blocks promotion."""


class GateConfig(Config):
    """Conditions on suites for promotion; see :func:`vision_zero.evaluation.comparison.why_blocked`."""

    tolerated_loss: float = Field(0.0, ge=0.0, le=1.0)
    """A suite whose interval of the difference excludes zero blocks if even the upper end is a loss of more than this share."""
    largest_loss: float = Field(0.1, ge=0.0, le=1.0)
    """A larger mean loss blocks, whatever the interval (as a share of the items)."""
    must_improve: tuple[str, ...] = ()
    """Suites that must be significantly better."""
    required: tuple[str, ...] = ()
    """Suites that must have been evaluated."""
    exempt: tuple[str, ...] = ()
    """Suites that never block."""
    least_items: int = Field(1, ge=1)
    """A suite with fewer items blocks."""
