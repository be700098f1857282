"""Settings of evaluation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config
from vision_zero.config.game import GameConfig

ScriptedName = Literal["oracle", "guesser", "random", "mute", "copycat", "liar", "vague"]
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
    checkpoints: tuple[str, ...] = ()
    """Folders of policies trained from the same base (``runs/<run>/policy``) to play against, each at an
    opponent's cost."""
    samples: int = Field(0, ge=0, le=64)
    """Replies that are sampled to each vote and question, to see whether any is right (pass@n); 0: none. Each costs as much as
    the votes of the held-out games and the questions once more."""
    reasoning_prefix: str | None = Field(None, min_length=1, max_length=200)
    """How the policy's reasoned replies begin, where it has two ways to answer: the frozen base is then also measured with these
    words put before each of its replies, once. Null: the embedded policy's own, and nothing for any other."""
    question_tokens: int = Field(64, ge=1)
    """Longest answer to a question, in tokens; the embedded policy lists the scene first."""
    resamples: int = Field(2000, ge=100)
    """Bootstrap resamples behind each interval."""
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    """Coverage of the intervals."""


class GateConfig(Config):
    """What a policy must show before it goes into production; see :func:`vision_zero.evaluation.comparison.why_blocked`."""

    tolerated_loss: float = Field(0.0, ge=0.0, le=1.0)
    """A suite that is worse by its interval blocks if even the interval's better end loses more than this share of the items."""
    largest_loss: float = Field(0.1, ge=0.0, le=1.0)
    """A mean loss of a larger share of the items blocks, whatever the interval says."""
    must_improve: tuple[str, ...] = ()
    """Suites that must be better by their interval."""
    required: tuple[str, ...] = ()
    """Suites that must have been measured."""
    exempt: tuple[str, ...] = ()
    """Suites that may get worse."""
    least_items: int = Field(1, ge=1)
    """A suite measured on fewer items blocks: it says too little."""
