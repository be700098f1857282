"""The part of the Kubernetes API that ZenML's orchestrator needs: it keeps jobs, runs none and calls each done."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.stacks.json_server import Json, json_server

CONTEXT = "loopback"
DONE = {"conditions": [{"type": "Complete", "status": "True"}]}


@dataclass
class KubernetesApi:
    """What has been created so far.

    Attributes:
        kubeconfig: a file whose context ``CONTEXT`` leads here.
        jobs, cron_jobs: manifests by name, in the order of their creation, until they are deleted.
    """

    kubeconfig: Path
    jobs: dict[str, Json] = field(default_factory=dict)
    cron_jobs: dict[str, Json] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: Json) -> Json | None:
        """The answer to a request."""
        match method, path.strip("/").split("/"):
            case "POST", [*_, "jobs" | "cronjobs" as kind]:
                kept = self.jobs if kind == "jobs" else self.cron_jobs
                kept[body["metadata"]["name"]] = body
                return {"metadata": body["metadata"]}
            case "POST", _:
                return body  # an account, and what it may do
            case "GET" | "PATCH", [*_, "jobs", name] if name in self.jobs:
                metadata = self.jobs[name]["metadata"]
                metadata["annotations"] |= body.get("metadata", {}).get("annotations", {})
                return {"metadata": metadata, "status": DONE}
            case "DELETE", [*_, "cronjobs", name] if name in self.cron_jobs:
                del self.cron_jobs[name]
                return {}
            case "GET", [*_, "pods", name] if name == socket.gethostname():
                # The pod that asks for itself belongs to the first job, the orchestrator's.
                return {"metadata": {"name": name, "labels": {"job-name": next(iter(self.jobs))}}}
        return None


@contextmanager
def kubernetes_api(folder: Path) -> Iterator[KubernetesApi]:
    """A fresh API on loopback, with a kubeconfig in ``folder``."""
    api = KubernetesApi(folder / "kubeconfig.json")
    with json_server(api.answer) as address:
        api.kubeconfig.write_text(json.dumps(_config(address)))
        yield api


def _config(address: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": {"server": address}}],
        "users": [{"name": CONTEXT, "user": {}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }
