"""The part of the Kubeflow Pipelines API (v2beta1) that a client needs to submit: it keeps what it is sent and starts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.stacks.json_server import Json, json_server

PREFIX = "/pipeline"


@dataclass
class KubeflowApi:
    """What has been submitted so far.

    Attributes:
        url: the address that an orchestrator is given as its host name.
        runs, recurring_runs: bodies of the requests; ``pipeline_spec`` in them is the compiled pipeline.
    """

    url: str = ""
    runs: list[Json] = field(default_factory=list)
    recurring_runs: list[Json] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Json) -> Json | None:
        """The answer to a request."""
        match method, path.removeprefix(f"{PREFIX}/apis/v2beta1"):
            case "GET", "/healthz":
                return {"multi_user": False}
            case "GET", "/experiments":
                return {}
            case "POST", "/experiments":
                return {"experiment_id": "experiment", "display_name": body["display_name"], "namespace": "kubeflow"}
            case "POST", "/runs":
                self.runs.append(body)
                return {"run_id": f"run-{len(self.runs)}", "display_name": body["display_name"]}
            case "POST", "/recurringruns":
                self.recurring_runs.append(body)
                return {"recurring_run_id": f"recurring-{len(self.recurring_runs)}", "display_name": body["display_name"]}
        return None


@contextmanager
def kubeflow_api() -> Iterator[KubeflowApi]:
    """A fresh API on loopback."""
    api = KubeflowApi()
    with json_server(api.answer) as address:
        api.url = address + PREFIX
        yield api
