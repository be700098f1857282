"""The Kubernetes stack against an API on loopback: what is submitted, with a schedule or none, and what each step asks for."""

from pathlib import Path

import pytest
import yaml

from tests.stacks.containers import run_container
from tests.stacks.kubernetes_api import CONTEXT, kubernetes_api
from vision_zero.cli.schedule import Schedule, zenml_schedule

pytestmark = pytest.mark.kubeflow

ROOT = Path(__file__).resolve().parents[2]
SELF_PLAY = ("zenml", "pipeline", "run", "pipelines.self_play.self_play", "-c")
GPU_STEPS = {"clue_stage_1", "decision_stage_1", "measure_base", "evaluate_1", "ask_suites", "judge"}


@pytest.fixture(scope="module")
def cluster(run, tmp_path_factory):
    """An API on loopback, with the stack of configs/stacks/kubernetes.sh registered for it, and registered again."""
    with kubernetes_api(tmp_path_factory.mktemp("kubernetes")) as api:
        for words in ("successfully registered", "successfully updated"):
            printed = run("configs/stacks/kubernetes.sh", CONTEXT=CONTEXT, KUBECONFIG=str(api.kubeconfig))
            assert f"Stack 'vision_zero_kubernetes' {words}" in printed.replace("`", "'")
        yield api


def container(job):
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return found


def test_a_run_is_a_job_and_every_step_a_job_that_asks_for_its_gpu(cluster, run, write_recipe, tmp_path):
    run(*SELF_PLAY, write_recipe("kubernetes", "vz_kubernetes"), KUBECONFIG=str(cluster.kubeconfig))
    ((_, orchestrator),) = cluster.jobs.items()
    assert container(orchestrator)["image"] == "registry.example.org/team/vision-zero:1"
    assert "limits" not in container(orchestrator)["resources"]
    # The pod of that job would now create the jobs of the steps, each when those before it are done.
    run_container(container(orchestrator), tmp_path / "orchestrator", {"KUBECONFIG": str(cluster.kubeconfig)})
    jobs = {job["metadata"]["annotations"]["zenml.io/step-name"]: job for job in [*cluster.jobs.values()][1:]}
    names = [*jobs]
    assert len(jobs) == 14
    assert (names[0], names[-1]) == ("resume", "promote")
    assert names.index("clue_stage_1") < names.index("decision_stage_1") < names.index("switch_stage_1")
    for name, job in jobs.items():
        pod = job["spec"]["template"]["spec"]
        limits = container(job)["resources"].get("limits", {})
        if name not in GPU_STEPS:
            assert "nvidia.com/gpu" not in limits
            assert not {"volumes", "nodeSelector", "tolerations"} & set(pod)
            continue
        assert limits == {"nvidia.com/gpu": "1", "memory": "32Gi"}
        assert container(job)["resources"]["requests"] == {"cpu": "4", "memory": "32Gi"}
        assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
        assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
        assert [volume["name"] for volume in pod["volumes"]] == ["models", "shared-memory"]
        assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
        mounts = {mount["name"]: mount["mountPath"] for mount in container(job)["volumeMounts"]}
        assert mounts == {"models": "/models", "shared-memory": "/dev/shm"}


def test_a_recipe_with_a_schedule_is_a_cron_job_until_it_is_deleted(cluster, run, write_recipe):
    before = len(cluster.jobs)
    schedule = zenml_schedule(Schedule.at(ROOT / "configs" / "self_play" / "nano.yaml", "03:30", ("mon",)))
    submit = (*SELF_PLAY, write_recipe("kubernetes", "vz_nightly", schedule))
    run(*submit, KUBECONFIG=str(cluster.kubeconfig))
    ((_, job),) = cluster.cron_jobs.items()
    assert len(cluster.jobs) == before
    assert job["spec"]["schedule"] == yaml.safe_load(schedule)["schedule"]["cron_expression"] == "30 3 * * mon"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert container(job["spec"]["jobTemplate"])["image"] == "registry.example.org/team/vision-zero:1"
    run("zenml", "pipeline", "schedule", "delete", "--yes", "vision-zero-nano", KUBECONFIG=str(cluster.kubeconfig))
    assert not cluster.cron_jobs
    run(*submit, KUBECONFIG=str(cluster.kubeconfig))
    assert len(cluster.cron_jobs) == 1
