"""Scores of the held-out evaluation as data, in a separate module so that reading them loads no model."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from vision_zero.config_base import Config
from vision_zero.evaluation.estimates import Estimate


class Exam(Config):
    """Scores by subject, ``<skill>/<what>``."""

    scores: dict[str, Estimate] = Field(validation_alias=AliasChoices("scores", "marks"))
