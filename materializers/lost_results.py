"""Cached results whose files are gone from the artifact store: their steps run again, instead of failing whoever needs them.

ZenML knows what a step returned and does not look whether it is still there. A bucket's rules delete what is old; people do too.
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
"""Latest runs of each step that are looked at; a cached result is found again by the latest run that made it."""


def forget_lost_results(steps: Sequence[str]) -> list[str]:
    """Let no cached result of these steps be used any more that cannot be loaded.

    Returns:
        The names of the steps that lost some.
    """
    client = Client()
    done = [run for name in steps for run in _finished(client, name)]
    with ThreadPoolExecutor(16) as pool:
        lost = [run for run, is_lost in zip(done, pool.map(_has_lost, done), strict=True) if is_lost]
    for run in lost:
        _expire(run.id)
    return sorted({run.name for run in lost})


def forget_result_at(uri: str) -> None:
    """Let the step run that stored an artifact there not be used as a cached result any more."""
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
    """Does a file that its materializer needs lie in the store no longer?"""
    kind = source_utils.load(artifact.materializer)
    store = Client().active_stack.artifact_store
    needed = getattr(kind, "NEEDED", ())
    return not all(store.exists(f"{artifact.uri}/{name}") for name in needed) if needed else not store.exists(artifact.uri)
