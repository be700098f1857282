"""The errors that a user may see: one line that says what happened and what to do."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """The most informative line of a library's long error message."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


class VisionZeroError(Exception):
    """Base of all errors that this project raises. ``str(error)`` is one line that says what to do about it.

    Attributes:
        status: the HTTP status with which a server has refused a request; None: it is about something else.
    """

    def __init__(self, message: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConfigError(VisionZeroError):
    """A configuration file or value that cannot be used."""


class PairsError(VisionZeroError):
    """Image pairs that cannot be made, read, or played with."""


class GameError(VisionZeroError):
    """A game that cannot be set up, or a move out of turn."""


class PolicyError(VisionZeroError):
    """A policy folder, adapter or processor that cannot be loaded or saved."""


class TrainingError(VisionZeroError):
    """Training that cannot start, continue, or be trusted (for example a NaN loss)."""


class PromotionError(VisionZeroError):
    """A trained version that must not, or could not, be promoted."""


class EvaluationError(VisionZeroError):
    """Benchmarks, predictions or records of answers that cannot be read, answered or scored."""


class ArtifactError(VisionZeroError):
    """An artifact that cannot be stored or loaded."""


class ReportError(VisionZeroError):
    """A report, or the folder of a run, that cannot be written."""


class PublishError(VisionZeroError):
    """A policy that cannot be published to its target."""


def one_line(error: BaseException, longest: int | None = None) -> str:
    """The message of a library's exception in one line, cut to a length."""
    return " ".join(str(error).split())[:longest] or type(error).__name__
