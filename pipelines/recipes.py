"""Pipelines whose configuration file is checked before ZenML reads it.

ZenML silently takes the last of two equal keys, silently ignores unknown keys, and answers a wrong value with a long traceback.
``zenml pipeline run NAME -c FILE`` passes the file to ``with_options``, and so does this project's code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from zenml.pipelines.pipeline_definition import Pipeline

from vision_zero.atomic_dir import dir_of_process
from vision_zero.recipes.check import check_before_run
from vision_zero.recipes.recipe_file import Recipe


class RecipePipeline(Pipeline):
    """A static pipeline that refuses an invalid configuration file."""

    def with_options(self, *args: Any, **options: Any) -> Pipeline:
        """Override of ZenML's method that checks the file first, and merges it with the one that it extends.

        Raises:
            ConfigError: the file is invalid; the message is one line that names the key.
        """
        config_path = options.get("config_path")
        if config_path is not None:
            options["config_path"] = str(_complete(check_before_run(Path(config_path), self.name)))
        return super().with_options(*args, **options)


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
