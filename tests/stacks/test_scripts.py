"""The scripts and settings of configs/stacks, as far as they can be tried without a server."""

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from vision_zero.recipes.check import check_file
from vision_zero.source_closure import closure

ROOT = Path(__file__).resolve().parents[2]
STACKS = ROOT / "configs" / "stacks"
SCRIPTS = {
    "s3": ("BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "kubernetes": ("CONTEXT", "REGISTRY", "BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "kubeflow": ("KUBEFLOW", "REGISTRY", "BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "vertex": ("PROJECT", "LOCATION", "REGISTRY", "BUCKET"),
}


@pytest.mark.parametrize("script", sorted(STACKS.glob("*.sh")), ids=lambda path: path.name)
def test_a_shell_can_read_it(script):
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "variables"), SCRIPTS.items(), ids=SCRIPTS)
def test_each_variable_that_is_missing_is_one_line(name, variables, tmp_path):
    """ZenML is not even called: there is none on this PATH."""
    page = (ROOT / "docs" / "stacks.md").read_text()
    for missing in variables:
        given = {variable: "given" for variable in variables if variable != missing}
        done = subprocess.run(
            [STACKS / f"{name}.sh"], env={"PATH": os.defpath, **given}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"set {missing}: ")
        assert missing in page


@pytest.mark.parametrize("signal", ["HUP", "INT", "TERM"])
def test_keys_are_left_in_no_file_when_the_script_is_interrupted(tmp_path, signal):
    zenml, left = tmp_path / "bin" / "zenml", tmp_path / "left"
    zenml.parent.mkdir()
    left.mkdir()
    zenml.write_text(f'#!/bin/sh\n[ "$2" = create ] || exit 1\nls "$TMPDIR"\nkill -s {signal} $PPID\n')
    zenml.chmod(0o755)
    keys = {"BUCKET": "s3://b/v", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    done = subprocess.run(
        [STACKS / "s3.sh"],
        env={"PATH": f"{zenml.parent}:{os.defpath}", "TMPDIR": str(left), **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("tmp."), "the keys were in a file when it was interrupted"
    assert not list(left.iterdir())


@pytest.mark.parametrize("name", ["kubernetes", "kubeflow"])
def test_the_settings_go_with_a_recipe_as_their_head_says(name, tmp_path):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    merge, check = re.findall(r"^#   (.+)$", (STACKS / f"{name}.yaml").read_text(), re.MULTILINE)
    assert merge in (ROOT / "docs" / "stacks.md").read_text()
    subprocess.run(["sh", "-c", merge], cwd=tmp_path, check=True)
    recipe = tmp_path / check.removeprefix("vision-zero check-config ")
    assert check_file(recipe) == "a valid configuration of SelfPlay"
    text = recipe.read_text()
    assert len(re.findall(r"^\w+:", text, re.MULTILINE)) == len(yaml.safe_load(text)), "a key is there twice"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kubernetes", "kubeflow"])
def test_every_step_that_loads_the_policy_has_a_gpu_and_no_other(name):
    """Found by what each step imports. Both stages train by modules that their job names."""
    graph = ast.parse((ROOT / "pipelines" / "self_play.py").read_text())
    imported = {alias.name: node.module for node in graph.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    loading = {"clue_stage_1", "decision_stage_1"}
    for step, module in imported.items():
        source = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
        for function in (node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == step):
            modules = {node.module for node in ast.walk(function) if isinstance(node, ast.ImportFrom)}
            if module.startswith("steps.") and "vision_zero/policy/loading.py" in closure(modules)[0]:
                loading.add("evaluate_1" if step == "evaluate" else step)
    assert {"measure_base", "judge"} < loading
    assert set(yaml.safe_load((STACKS / f"{name}.yaml").read_text())["steps"]) == loading


@pytest.mark.kubeflow
@pytest.mark.parametrize("name", ["kubernetes", "kubeflow"])
def test_zenml_knows_every_setting(name):
    """It drops those that it does not know."""
    from zenml.config import DockerSettings, ResourceSettings
    from zenml.integrations.kubeflow.flavors.kubeflow_orchestrator_flavor import KubeflowOrchestratorSettings
    from zenml.integrations.kubernetes.flavors.kubernetes_orchestrator_flavor import KubernetesOrchestratorSettings

    orchestrators = {"kubernetes": KubernetesOrchestratorSettings, "kubeflow": KubeflowOrchestratorSettings}
    models = {"docker": DockerSettings, "resources": ResourceSettings, "orchestrator": orchestrators[name]}
    data = yaml.safe_load((STACKS / f"{name}.yaml").read_text())
    groups = [data["settings"], *(step["settings"] for step in data["steps"].values())]
    for key, settings in (pair for group in groups for pair in group.items()):
        read = models[key].model_validate(settings)
        assert not read.model_extra, key
        pod = getattr(read, "pod_settings", None)
        assert name != "kubernetes" or pod is None or not pod.model_extra
