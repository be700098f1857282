"""``vision-zero evaluate``: evaluates any policy on any suites, beside another policy.

Heavy imports are inside the functions, so that ``--help`` is fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vision_zero.config.suite_registry import SUITES
from vision_zero.errors import ConfigError

if TYPE_CHECKING:
    from vision_zero.config.suites import EvaluateConfig

SHAPED = ("look", "items", "source")
"""Options that are settings of suites."""


@click.command(name="evaluate")
@click.option(
    "--config", "file", type=click.Path(dir_okay=False, path_type=Path), help="Recipe to start from: configs/evaluate/*.yaml."
)
@click.option("--policy", help="nano, a trained or merged folder, a hub id, or the model's name at --endpoint.")
@click.option("--base", help="Policy to compare with; default: the base of the trained folder.")
@click.option("--endpoint", help="URL of an OpenAI-compatible endpoint: http://localhost:8000/v1.")
@click.option("--key-variable", help="Environment variable that holds the endpoint's key.")
@click.option("--suite", "suites", type=click.Choice(tuple(SUITES)), multiple=True, help="Suite; may be repeated.")
@click.option("--look", type=click.Choice(["full", "compact"]), help="Images of the procedural suites.")
@click.option("--items", type=click.IntRange(1), help="Items of each procedural suite.")
@click.option("--source", help="ChartQA, MathVista: hub id, file, folder or URL (s3://...).")
@click.option("--limit", type=click.IntRange(1), help="Only the first items of every suite.")
@click.option("--max-tokens", type=click.IntRange(1), help="Longest reply.")
@click.option("--batch-size", type=click.IntRange(1), help="Items in one batch.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write into; run again to continue."
)
def evaluate(out: Path, file: Path | None, **options: Any) -> None:
    """Evaluate a policy on suites and compare it with another: predictions, scores.json and page.html."""
    from vision_zero.report.evaluation_folder import evaluate_into

    scorecard = evaluate_into(out, read_options(file, options))
    for line in scorecard.summary():
        click.echo(line)
    click.echo(f"open {out / 'page.html'}")


def read_options(file: Path | None, options: Mapping[str, Any]) -> EvaluateConfig:
    """The settings of a file, overridden by the options that are given (neither None nor empty).

    Raises:
        ConfigError: the file or an option cannot be used, or neither names a suite.
    """
    from vision_zero.config.suites import EvaluateConfig
    from vision_zero.config_base import merged, validated
    from vision_zero.recipes.recipe_file import read_recipe

    given = {name: value for name, value in options.items() if value not in (None, ())}
    together = (("endpoint", "policy", "the model's name there"), ("key_variable", "endpoint", "whose key it is"))
    for option, needed, what in together:
        if option in given and needed not in given:
            raise ConfigError(f"--{option.replace('_', '-')} needs --{needed}, {what}")
    settings: dict[str, Any] = {} if file is None else dict(read_recipe(file).config)
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
    if shape and isinstance(settings["suites"], list):
        settings["suites"] = [{**suite, **shape} if isinstance(suite, dict) else suite for suite in settings["suites"]]
    settings |= {name: given[name] for name in ("limit", "batch_size") if name in given}
    if "max_tokens" in given:
        settings = merged(settings, {"sampling": {"max_tokens": given["max_tokens"]}})
    return validated(EvaluateConfig, settings)


def _answerer(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A model at an endpoint, a trained folder with its recorded base, or any base."""
    from vision_zero.policy.loading import base_of, is_trained

    if "endpoint" in options:
        return {"endpoint": {"url": options["endpoint"], "model": name, "key_variable": options.get("key_variable")}}
    if is_trained(Path(name)):
        return {"base": base_of(Path(name)), "adapter": name}
    return {"base": name}
