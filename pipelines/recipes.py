"""Pipelines whose configuration file is checked before ZenML reads it.

ZenML silently takes the last of two equal keys, silently ignores unknown keys, and answers a wrong value with a long traceback.
``zenml pipeline run NAME -c FILE`` passes the file to ``with_options``, and so does this project's code.

ZenML stores a step's outputs with the materializers that are registered for their types. Importing those of this project, as is
done here, registers them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import ValidationError
from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
from zenml.pipelines.pipeline_definition import Pipeline

from materializers import answers, documents, games, model_folder, pairs, policy, shards  # noqa: F401 - see above
from vision_zero.atomic_dir import dir_of_process
from vision_zero.config_base import problems
from vision_zero.errors import ConfigError, VisionZeroError, one_line
from vision_zero.recipes.check import check_before_run
from vision_zero.recipes.recipe_file import Recipe


class RefusedRecipeError(ConfigError, click.ClickException):
    """A recipe that cannot be run. ``zenml``, which is made with click, prints it as one line without a traceback."""

    exit_code = 2


class RecipePipeline(Pipeline):
    """A static pipeline that refuses an invalid configuration file."""

    def with_options(self, *args: Any, **options: Any) -> Pipeline:
        """Override of ZenML's method that checks the file first, and merges it with the one that it extends.

        Raises:
            RefusedRecipeError: the file is invalid; the message is one line that names the key.
        """
        config_path = options.get("config_path")
        if config_path is not None:
            with _refusing():
                recipe = check_before_run(Path(config_path), self.name)
                _check_zenmls_settings(recipe)
                if self.name == "self_play" and not recipe.settings.get("model"):
                    raise ConfigError(
                        f"{recipe.path}: model is missing: add model: {{name: NAME}}, whose versions hold the policy"
                    )
            options["config_path"] = str(_complete(recipe))
        return super().with_options(*args, **options)

    def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Override of ZenML's method: makes the graph.

        Raises:
            RefusedRecipeError: a file or folder that the recipe names cannot be read.
        """
        with _refusing():
            super().prepare(*args, **kwargs)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except VisionZeroError as error:
        raise RefusedRecipeError(str(error)) from error


def _check_zenmls_settings(recipe: Recipe) -> None:
    """Check what is ZenML's in the file: everything but the parameters."""
    settings = {key: value for key, value in recipe.settings.items() if key != "parameters" and value is not None}
    try:
        PipelineRunConfiguration.model_validate(deepcopy(settings))  # it adds to what it is given
    except ValidationError as error:
        raise ConfigError(f"{recipe.path}: {problems(error)}") from error
    except TypeError as error:  # ZenML's own, of a value that is no mapping
        raise ConfigError(f"{recipe.path}: {one_line(error)}") from error


def _complete(recipe: Recipe) -> Path:
    """The recipe's file, or a complete one in its place if it extends another."""
    if not recipe.extends_another:
        return recipe.path
    # ZenML reads the file again when the pipeline runs.
    complete = dir_of_process("recipe") / recipe.path.name
    complete.write_text(yaml.safe_dump(recipe.settings, sort_keys=False), encoding="utf-8")
    return complete


def recipe_pipeline(**options: Any) -> Callable[[Callable[..., None]], RecipePipeline]:
    """ZenML's ``@pipeline`` with the same options, for pipelines of :data:`vision_zero.recipes.check.ROOTS`."""

    def made(function: Callable[..., None]) -> RecipePipeline:
        pipeline = RecipePipeline(name=function.__name__, entrypoint=function, **options)
        pipeline.__doc__ = function.__doc__
        return pipeline

    return made
