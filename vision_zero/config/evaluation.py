"""Settings of evaluation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.game import GameConfig

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
