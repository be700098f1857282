"""The one family of errors that a user may see: what happened and what to do, in one line."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """Of what a library says, which is often a page, the line that names the matter."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


class VisionZeroError(Exception):
    """Base of every error raised on purpose. ``str(error)`` is one line that says what to do about it."""


class ConfigError(VisionZeroError):
    """A configuration file or value that cannot be used."""


class PairsError(VisionZeroError):
    """Image pairs that cannot be made, read, or played with."""


class GameError(VisionZeroError):
    """A table that cannot be dealt or a seat that spoke out of turn."""


class PolicyError(VisionZeroError):
    """A policy folder, adapter or processor that cannot be loaded or saved."""


class TrainingError(VisionZeroError):
    """Training that cannot start, continue, or be trusted (for example a loss that is not a number)."""


class PromotionError(VisionZeroError):
    """A trained version that must not, or could not, become the one in production."""


class EvaluationError(VisionZeroError):
    """Benchmarks, predictions or records of answers that cannot be read, answered or scored."""


class ArtifactError(VisionZeroError):
    """An artifact that cannot be brought into the artifact store, or out of it."""


class ReportError(VisionZeroError):
    """A report, or the folder of a run, that cannot be written."""


class PublishError(VisionZeroError):
    """A policy that cannot be brought to where it was to be published."""


def one_line(error: BaseException) -> str:
    """What an exception of somebody else's says, without line breaks."""
    return " ".join(str(error).split()) or type(error).__name__
