"""Settings of evaluation."""

from __future__ import annotations

from pydantic import Field

from vision_zero.config.base import Config


class EvaluationConfig(Config):
    """What is measured after each round; nothing is ever tuned or trained on it."""

    seed: int = 250929541
    """Seed of the held-out pairs, games and questions; apart from the run's seed, so that runs are comparable."""
    pairs: int = Field(64, ge=4)
    """Held-out pairs: one game each for decisions, one for each side of the win rate."""
    questions: int = Field(40, ge=4)
    """Questions of each family (colour, shape, count, position)."""
    question_tokens: int = Field(64, ge=1)
    """Longest answer to a question, in tokens; the embedded policy lists the scene first."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples behind each interval."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals."""
