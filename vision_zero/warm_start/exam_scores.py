"""Scores of the held-out evaluation as data, in a separate module so that reading them loads no model."""

from __future__ import annotations

from vision_zero.config.base import Config
from vision_zero.evaluation.estimates import Estimate


class Exam(Config):
    """Scores by subject, ``<skill>/<what>``."""

    marks: dict[str, Estimate]
