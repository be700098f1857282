"""Settings that were renamed. Their old names are read for one release, with a warning that names the new one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from vision_zero.errors import ConfigError

RENAMED: Mapping[str, Mapping[str, str]] = {
    "self_play": {"benchmarks": "suite_evaluation", "suites": "suite_evaluation"},
    "warm_start": {
        "tokenizer_lessons": "tokenizer_examples",
        "phases.lessons_per_picture": "phases.examples_per_picture",
    },
}
"""For each pipeline its settings' old and new names, as paths with dots, through lists too; both end below the same setting."""
_LOGGER = logging.getLogger(__name__)


def with_present_names(settings: Any, pipeline: str = "self_play", *, warns: bool = True) -> Any:
    """The settings of a recipe, or changes to it, with present names; anything but a mapping is returned as it is.

    Args:
        warns: log a warning for each old name, once in a process. False for files that nobody needs to edit.

    Raises:
        ConfigError: a setting is given under both names.
    """
    for old, new in RENAMED[pipeline].items():
        settings = _renamed(settings, old.split("."), new.split("."), warns=warns)
    return settings


def _renamed(settings: Any, old: list[str], new: list[str], *, warns: bool, above: str = "") -> Any:
    key = old[0]
    if isinstance(settings, list | tuple):
        return [_renamed(each, old, new, warns=warns, above=above) for each in settings]
    if not isinstance(settings, Mapping) or key not in settings:
        return settings
    if len(old) > 1:
        inner = _renamed(settings[key], old[1:], new[1:], warns=warns, above=f"{above}{key}.")
        return {**settings, key: inner}
    if new[0] in settings:
        raise ConfigError(f"{above}{key} is the old name of {above}{new[0]}: leave {above}{key} out")
    if warns:
        _warn(f"{above}{key}", f"{above}{new[0]}")
    return {new[0] if name == key else name: value for name, value in settings.items()}


@cache
def _warn(old: str, new: str) -> None:
    _LOGGER.warning("the setting %s is called %s now: rename it; the next release no longer reads the old name", old, new)
