"""ZenML's experiment trackers: where the active stack has one of a tracker that the recipe names, it says where and as whom.

A step that asks for a component by name (``experiment_tracker="…"``, or ``True``) gets a new run in it for each pipeline run, and
fails where the server is away. Here all runs of a model are one, and no tracker stops a run: so only the component's address and
credentials are used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from zenml.client import Client

from vision_zero.config.tracking import TrackerName


@contextmanager
def stack_trackers(trackers: Sequence[TrackerName]) -> Iterator[None]:
    """Within, the trackers use what the active stack's components name, also in processes that are started; afterwards not."""
    chosen = {component.flavor: component for component in reversed(_components())} if trackers else {}
    used = {name: chosen[name] for name in trackers if name in chosen}
    before = dict(os.environ)
    if "mlflow" in used:
        used["mlflow"].configure_mlflow()
    if "wandb" in used:
        settings = used["wandb"].config
        given = {"API_KEY": settings.api_key, "ENTITY": settings.entity, "PROJECT": settings.project_name}
        os.environ.update({f"WANDB_{name}": value for name, value in given.items() if value})
    changed = {name for name, value in os.environ.items() if before.get(name) != value}
    try:
        yield
    finally:
        if "mlflow" in used:
            import mlflow

            mlflow.set_tracking_uri(None)
        for name in changed:
            os.environ.pop(name, None)
        os.environ.update({name: before[name] for name in changed & before.keys()})


def _components() -> list[Any]:
    """Experiment trackers of the active stack, its default first."""
    stack = Client().active_stack
    return sorted(stack.experiment_trackers.values(), key=lambda component: component is not stack.experiment_tracker)
