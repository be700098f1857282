"""Access to ZenML's model registry: one model per recipe, with at most one version in production."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from filelock import FileLock, Timeout
from zenml import get_step_context, log_metadata
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.config.source import Source
from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from vision_zero.errors import PromotionError
from vision_zero.evaluation.comparison import Refused

RENAMED = {
    "vision_zero.learning.state": "vision_zero.training.state",
    "vision_zero.pairs.verdict": "vision_zero.validation.verdict",
    "vision_zero.data.validation.verdict": "vision_zero.validation.verdict",
}
"""Modules of types that stored artifacts may name: names of earlier versions, and the present ones."""
RENAMED_ARTIFACTS = {"suites": "benchmarks"}
"""Artifacts by their present names, and the names that earlier versions gave them."""
REFUSED = "refused"
"""Metadata key of a model version for the reason why it was refused."""
_held: dict[Path, FileLock] = {}
"""Locks of this process; the operating system releases them at its end."""


def production_version() -> ModelVersionResponse | None:
    """The version in production of this run's model, None before the first promotion."""
    return find_version(get_step_context().model.name, ModelStages.PRODUCTION)


def named_version(name: str, version: str) -> ModelVersionResponse:
    """Get a version of a model by number, or ``production``.

    Raises:
        PromotionError: there is no such version.
    """
    found = find_version(name, version)
    if found is None:
        raise PromotionError(f"model {name} has no version {version}: run the self_play pipeline first")
    return found


def find_version(name: str, version: str) -> ModelVersionResponse | None:
    """A version of a model, by number or stage; None if there is none."""
    try:
        return Client().get_model_version(name, version)
    except KeyError:
        return None


def promoted_artifact(version: ModelVersionResponse, name: str) -> Any:
    """Load an artifact of a version by its id, so that the dashboard shows it as an input with the run that made it.

    Raises:
        PromotionError: the version has no such artifact, or it is in another stack's store.
    """
    linked = version.get_artifact(name) or version.get_artifact(RENAMED_ARTIFACTS.get(name, name))
    if linked is None:
        raise PromotionError(f"model version {version.number} has no artifact {name}: promote another version and run again")
    store = Client().active_stack.artifact_store
    if linked.artifact_store_id != store.id:
        raise PromotionError(
            f"{name} of model version {version.number} lies in another artifact store than {store.name}: "
            "run on the stack that trained it, or give this stack a model name of its own"
        )
    return load_artifact(linked.id)


def load_artifact(identifier: UUID) -> Any:
    """Load an artifact by its id, also if an earlier version of this package stored it."""
    artifact = Client().get_artifact_version(identifier)
    body = artifact.get_body()
    body.data_type = current_type(body.data_type)
    return artifact.load()


def current_type(stored: Source) -> Source:
    """The type of an artifact under its present module name."""
    return stored.model_copy(update={"module": RENAMED.get(stored.module, stored.module)})


def refused_since(number: int) -> tuple[Refused, ...]:
    """Later versions of this run's model that were refused, with reasons, the oldest first; among the last fifty."""
    later = Client().list_model_versions(get_step_context().model.name, sort_by="desc:number", size=50, hydrate=True)
    found = [version for version in later if version.number > number and REFUSED in version.run_metadata]
    return tuple(Refused(version=version.number, reason=str(version.run_metadata[REFUSED])) for version in reversed(found))


def refuse(objection: str, kept: int) -> NoReturn:
    """End a run whose policy must not be promoted; its report and plain files are already written.

    Raises:
        PromotionError: always.
    """
    log_metadata(metadata={REFUSED: objection}, infer_model=True)
    production = f"version {kept} stays in production" if kept else "nothing is in production yet"
    raise PromotionError(
        f"this run is not promoted because of {objection}; {production}: "
        "the next run starts from there, samples other replies and is judged on other pairs; if it is refused repeatedly, "
        "lower learning.learning_rate or raise learning.kl"
    )


def put_into_production(expected: int) -> int:
    """Promote this run's version if ``expected`` (0: none) is still in production (compare-and-set).

    Raises:
        PromotionError: another run was promoted meanwhile.
    """
    current = production_version()
    number = 0 if current is None else current.number
    own = get_step_context().model
    if number != expected:
        raise PromotionError(
            f"this run began from version {expected or 'none'} but version {number} is in production now: another run was "
            f"promoted meanwhile; version {own.number} is kept unpromoted, run again to continue from {number}"
        )
    Client().update_model_version(model_name_or_id=own.name, version_name_or_id=own.id, stage=ModelStages.PRODUCTION, force=True)
    return int(own.number)


def hold_run_lock(run: str) -> None:
    """On a local orchestrator, lock this model until this process ends; elsewhere only promotion is protected. A lock that this
    process holds already is kept.

    Raises:
        PromotionError: another process holds it.
    """
    if Client().active_stack.orchestrator.flavor != "local":
        return
    path = Path(GlobalConfiguration().config_directory).resolve() / f"vision-zero-{get_step_context().model.name}.lock"
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(path, timeout=0, thread_local=False), path.with_suffix(".holder")
    try:
        lock.acquire()
    except Timeout as error:
        named = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
        raise PromotionError(f"{named} is still running: wait until it ends, then start this run again") from error
    holder.write_text(f"run {run} (process {os.getpid()})", encoding="utf-8")
    _held[path] = lock
