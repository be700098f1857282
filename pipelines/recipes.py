"""Pipelines whose configuration file is checked before ZenML reads it.

ZenML silently takes the last of two equal keys, silently ignores unknown keys, and answers a wrong value with a long traceback.
``zenml pipeline run NAME -c FILE`` passes the file to ``with_options``, and so does this project's code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from zenml.pipelines.pipeline_definition import Pipeline

from vision_zero.recipes.check import check_before_run


class RecipePipeline(Pipeline):
    """A static pipeline that refuses an invalid configuration file."""

    def with_options(self, *args: Any, **options: Any) -> Pipeline:
        """Override of ZenML's method that checks the file first.

        Raises:
            ConfigError: the file is invalid; the message is one line that names the key.
        """
        config_path = options.get("config_path")
        if config_path is not None:
            check_before_run(Path(config_path), self.name)
        return super().with_options(*args, **options)


def recipe_pipeline(**options: Any) -> Callable[[Callable[..., None]], RecipePipeline]:
    """ZenML's ``@pipeline`` with the same options, for pipelines of :data:`vision_zero.recipes.check.ROOTS`."""

    def made(function: Callable[..., None]) -> RecipePipeline:
        pipeline = RecipePipeline(name=function.__name__, entrypoint=function, **options)
        pipeline.__doc__ = function.__doc__
        return pipeline

    return made
