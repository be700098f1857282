"""The marks of an examination, as data: apart from the examining, so that reading them loads no model."""

from __future__ import annotations

from vision_zero.config.base import Config
from vision_zero.evaluation.estimates import Estimate


class Exam(Config):
    """Estimates by subject, ``<skill>/<what>``."""

    marks: dict[str, Estimate]
