"""Is a tracker installed? Asked before any work, and without importing it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from vision_zero.config.tracking import TrackerName
from vision_zero.errors import ConfigError


def check_installed(trackers: Sequence[TrackerName]) -> None:
    """Find the packages of trackers.

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
