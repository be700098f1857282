"""Settings of evaluation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.game import GameConfig

ScriptedName = Literal["oracle", "random", "mute", "copycat", "liar"]
"""Players with a script (:mod:`vision_zero.policy.scripted`)."""


class EvaluationConfig(Config):
    """What is measured after each round; nothing is ever tuned or trained on it."""

    seed: int = 250929541
    """Seed of the held-out pairs, games and questions; apart from the run's seed, so that runs are comparable."""
    pairs: int = Field(64, ge=4)
    """Held-out pairs: one game each for decisions, one for each side of the win rate."""
    questions: int = Field(40, ge=4)
    """Questions of each family (colour, shape, count, position)."""
    game: GameConfig | None = None
    """Rules of the held-out games; none: those of training. Set it to measure policies of different games in one."""
    opponents: tuple[ScriptedName, ...] = ()
    """Scripted players to play against on scene pairs, beside the frozen base. Each costs two games a pair, and as many of the
    base."""
    question_tokens: int = Field(64, ge=1)
    """Longest answer to a question, in tokens; the embedded policy lists the scene first."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples behind each interval."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals."""
