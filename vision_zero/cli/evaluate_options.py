"""Settings of an evaluation from a file and command-line options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vision_zero.config.base import problems
from vision_zero.config.suites import EvaluateConfig
from vision_zero.errors import ConfigError
from vision_zero.policy.loading import base_of, is_trained
from vision_zero.recipes.check import read_yaml

SHAPED = ("look", "items", "source")
"""Options that are settings of suites."""


def read_options(file: Path | None, options: Mapping[str, Any]) -> EvaluateConfig:
    """The settings of a file, overridden by the options that are given (neither None nor empty).

    Raises:
        ConfigError: the file or an option cannot be used, or neither names a suite.
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    settings: dict[str, Any] = {} if file is None else dict((read_yaml(file).get("parameters") or {}).get("config") or {})
    if "policy" in given:
        settings["policy"] = _answerer(given["policy"], given)
        settings.pop("base", None)
    if "base" in given:
        settings["base"] = _answerer(given["base"], {})
    if "suites" in given:
        settings["suites"] = [{"name": name} for name in given["suites"]]
    if not settings.get("suites"):
        raise ConfigError("there is no suite: name a --suite, or a --config with suites")
    shape = {name: given[name] for name in SHAPED if name in given}
    settings["suites"] = [{**suite, **shape} for suite in settings["suites"]]
    settings |= {name: given[name] for name in ("limit", "batch_size") if name in given}
    if "max_tokens" in given:
        settings["sampling"] = {**settings.get("sampling", {}), "max_tokens": given["max_tokens"]}
    try:
        return EvaluateConfig.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(problems(error)) from error


def _answerer(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A model at an endpoint, a trained folder with its recorded base, or any base."""
    if "endpoint" in options:
        return {"endpoint": {"url": options["endpoint"], "model": name, "key_variable": options.get("key_variable")}}
    if is_trained(Path(name)):
        return {"base": base_of(Path(name)), "adapter": name}
    return {"base": name}
