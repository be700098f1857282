"""The Kubeflow stack end to end: what is submitted to an API on loopback runs, and the next scheduled run resumes it."""

from pathlib import Path

import pytest

from tests.stacks.containers import containers, run_pipeline
from tests.stacks.kubeflow_api import kubeflow_api
from vision_zero.cli.schedule import Schedule, zenml_schedule

pytestmark = pytest.mark.kubeflow

ROOT = Path(__file__).resolve().parents[2]
SELF_PLAY = ("zenml", "pipeline", "run", "pipelines.self_play.self_play", "-c")
MODEL = "vz_kubeflow"
GPU_STEPS = {"clue-stage-1", "decision-stage-1", "measure-base", "evaluate-1", "ask-suites", "judge"}
PRODUCTION = f"from zenml.client import Client; print('production', Client().get_model_version('{MODEL}', 'production').number)"


@pytest.fixture(scope="module")
def kubeflow(run):
    """An API on loopback, with the stack of configs/stacks/kubeflow.sh registered for it, and registered again."""
    with kubeflow_api() as api:
        for words in ("successfully registered", "successfully updated"):
            printed = run("configs/stacks/kubeflow.sh", KUBEFLOW=api.url)
            assert f"Stack 'vision_zero_kubeflow' {words}" in printed.replace("`", "'")
        yield api


def test_memory_and_gpus_are_in_what_is_submitted(kubeflow, run, write_recipe):
    run(*SELF_PLAY, write_recipe("kubeflow", "vz_once"))
    (submitted,) = kubeflow.runs
    assert not kubeflow.recurring_runs
    found = containers(submitted["pipeline_spec"])
    assert len(found) == 14
    for name, container in found.items():
        assert container["image"] == "registry.example.org/team/vision-zero:1"
        asked = container["resources"]
        memory = "32768Mi" if name in GPU_STEPS else "4096Mi"
        assert (asked["resourceMemoryRequest"], asked["resourceMemoryLimit"]) == (memory, memory)
        if name in GPU_STEPS:
            gpu = asked["accelerator"]
            assert (gpu["resourceType"], gpu["resourceCount"]) == ("nvidia.com/gpu", "1")
            assert (asked["resourceCpuRequest"], asked["resourceCpuLimit"]) == ("4.0", "4.0")
        else:
            assert "accelerator" not in asked


def test_a_recurring_run_resumes_the_one_before(kubeflow, run, write_recipe, tmp_path):
    # By another recipe's name than the Kubernetes tests: on one ZenML server a name of a schedule is taken once.
    schedule = zenml_schedule(Schedule.at(ROOT / "configs" / "evaluate" / "offline.yaml", "03:30"))
    run(*SELF_PLAY, write_recipe("kubeflow", MODEL, schedule))
    (submitted,) = kubeflow.recurring_runs
    assert submitted["trigger"]["cron_schedule"]["cron"] == "30 3 * * *"
    assert submitted["max_concurrency"] == 1
    for number, iterations in ((1, "iterations 0 → 2"), (2, "iterations 2 → 4")):
        name = f"{submitted['display_name']}-{number}"
        printed = run_pipeline(submitted["pipeline_spec"], name, tmp_path / name)
        assert iterations in printed["report"]
        assert f"production {number}" in run("python", "-c", PRODUCTION)


def test_zenmls_own_orchestrator_still_needs_ours():
    """When this fails, ZenML has learned it: configs/stacks/kubeflow_flavor.py can go."""
    from kfp import dsl
    from zenml.config import ResourceSettings
    from zenml.integrations.kubeflow.orchestrators import KubeflowOrchestrator

    @dsl.container_component
    def task():
        return dsl.ContainerSpec(image="image", command=["true"])

    @dsl.pipeline
    def both():
        configure = KubeflowOrchestrator._configure_container_resources
        with pytest.raises(TypeError):
            configure(None, task(), ResourceSettings(memory="1GiB"))
        assert configure(None, task(), ResourceSettings(gpu_count=1)).container_spec.resources is None
