"""Invalidates cached results whose files are gone from the artifact store, so that their steps run again.

ZenML does not check whether the files of a cached result still exist; bucket lifecycle rules or people may have deleted them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import ArtifactVersionResponse, StepRunResponse
from zenml.utils import source_utils

LOOKED_AT = 20
"""Number of latest runs of each step to check."""


def forget_lost_results(steps: Sequence[str]) -> list[str]:
    """Invalidate cached results of these steps that cannot be loaded.

    Returns:
        The names of the steps with invalidated results.
    """
    client = Client()
    done = [run for name in steps for run in _finished(client, name)]
    with ThreadPoolExecutor(16) as pool:
        lost = [run for run, is_lost in zip(done, pool.map(_has_lost, done), strict=True) if is_lost]
    for run in lost:
        _expire(run.id)
    return sorted({run.name for run in lost})


def forget_result_at(uri: str) -> None:
    """Exclude the step run that stored an artifact at an address from the cache."""
    for artifact in Client().list_artifact_versions(uri=uri, hydrate=True).items:
        if artifact.producer_step_run_id is not None:
            _expire(artifact.producer_step_run_id)


def _expire(run: UUID) -> None:
    Client().update_step_run(run, cache_expires_at=datetime.now(UTC).replace(tzinfo=None))


def _finished(client: Client, name: str) -> list[StepRunResponse]:
    return client.list_run_steps(
        name=name,
        status=ExecutionStatus.COMPLETED,
        cache_expired=False,
        sort_by="desc:created",
        size=LOOKED_AT,
        hydrate=True,
    ).items


def _has_lost(run: StepRunResponse) -> bool:
    store = Client().active_stack.artifact_store
    outputs = [artifact for artifacts in run.outputs.values() for artifact in artifacts]
    return any(_is_lost(artifact) for artifact in outputs if artifact.artifact_store_id == store.id)


def _is_lost(artifact: ArtifactVersionResponse) -> bool:
    """Whether a file that its materializer needs is missing from the store."""
    try:
        needed = getattr(source_utils.load(artifact.materializer), "NEEDED", ())
    except (ImportError, AttributeError):  # of a step of the same name in another project, which is not cached for this one
        needed = ()
    store = Client().active_stack.artifact_store
    return not all(store.exists(f"{artifact.uri}/{name}") for name in needed) if needed else not store.exists(artifact.uri)
