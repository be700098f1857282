"""Stands in for the machines of a cluster: runs containers, of which only a specification exists, as processes here.

Each gets what its pod would get: its command, its arguments, its variables, and an empty folder of its own, since the steps fetch
their code from the artifact store. So containers share nothing but what they reach over the network. Images are not pulled, and
requests for memory and GPUs are not enforced: those are read from the specification.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

SECONDS = 600
RUN_NAME = "{{$.pipeline_job_name}}"
"""What Kubeflow replaces by the name of the run, which every scheduled execution has of its own."""


def run_container(container: Mapping[str, Any], place: Path, extra: Mapping[str, str] | None = None) -> str:
    """Run a container of Kubernetes or of a Kubeflow pipeline to its end.

    Args:
        container: ``command``, ``args`` and ``env``, a list of names and values.
        place: the folder, not there yet, that it works in.
        extra: variables that stand for what a pod finds in its cluster.

    Returns:
        What it printed.

    Raises:
        AssertionError: it ended with another status than 0.
    """
    place.mkdir(parents=True)
    variables = {entry["name"]: entry["value"] for entry in container.get("env", ())}
    words = [*container["command"], *container["args"]]
    environment = _image(place) | variables | dict(extra or {})
    done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, f"{place.name} ended with {done.returncode}:\n{printed[-3000:]}"
    return printed


def containers(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The container of each task of a compiled Kubeflow pipeline, tasks before those that need them."""
    tasks = spec["root"]["dag"]["tasks"]
    executors = spec["deploymentSpec"]["executors"]
    order = TopologicalSorter({name: task.get("dependentTasks", ()) for name, task in tasks.items()}).static_order()
    labels = {name: spec["components"][tasks[name]["componentRef"]["name"]]["executorLabel"] for name in order}
    return {name: executors[label]["container"] for name, label in labels.items()}


def run_pipeline(spec: Mapping[str, Any], run: str, folder: Path) -> dict[str, str]:
    """Run a compiled Kubeflow pipeline, one container after another; after one that fails none is started.

    Args:
        spec: the pipeline as it was submitted.
        run: the run's name, different in every execution.
        folder: each container works in a folder below it.

    Returns:
        What each container printed, by task.
    """
    named = {name: _named(container, run) for name, container in containers(spec).items()}
    return {name: run_container(container, folder / name) for name, container in named.items()}


def _named(container: dict[str, Any], run: str) -> dict[str, Any]:
    variables = [entry | {"value": entry["value"].replace(RUN_NAME, run)} for entry in container["env"]]
    return container | {"env": variables}


def _image(place: Path) -> dict[str, str]:
    """The variables that the image itself sets; of this process's own only those that keep torch quiet and slim."""
    kept = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "HF_HUB_OFFLINE") if name in os.environ}
    bin_folders = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    return {"PATH": bin_folders, "HOME": str(place), "ZENML_CONFIG_PATH": str(place / "zenml")} | kept
