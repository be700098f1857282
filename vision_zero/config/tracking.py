"""Which experiment trackers follow a run, and what they are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from vision_zero.config_base import Config
from vision_zero.errors import ConfigError

TrackerName = Literal["tensorboard", "wandb", "mlflow", "trackio"]


def _once_each(names: tuple[TrackerName, ...]) -> tuple[TrackerName, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"{', '.join(names)} names a tracker twice: keep one of them")
    return names


Trackers = Annotated[tuple[TrackerName, ...], AfterValidator(_once_each)]


class TrackedRun(Config):
    """A run as its trackers know it. All runs of a model are one run there, which each of them continues."""

    trackers: Trackers = ()
    """Those that the recipe names; by default none."""
    model: str = ""
    """Name of the model: the tracker's run is named after it, and found again by it."""
    folder: str = "runs"
    """``runs_folder`` of the recipe: trackers that write files write below it unless their own variables name another place."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The recipe's settings, which hold no credentials."""


def check_installed(trackers: Sequence[TrackerName]) -> None:
    """Find the packages of trackers, without importing them.

    Raises:
        ConfigError: one is not installed.
    """
    missing = [name for name in trackers if find_spec(name) is None]
    if missing:
        these, are = ("these", "are") if len(missing) > 1 else ("this", "is")
        raise ConfigError(
            f"tracking: {', '.join(missing)} {are} not installed here: pip install 'vision-zero[{','.join(missing)}]', or leave "
            f"{these} out"
        )
