"""ZenML gets the complete recipe where a file holds only its changes to another one, and none that it would not read."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from zenml.cli.cli import cli as zenml_cli

from vision_zero.recipes.recipe_file import read_yaml

pytestmark = pytest.mark.zenml

ROOT = Path(__file__).resolve().parents[2]


def test_a_recipe_that_extends_another_reaches_zenml_complete():
    from pipelines.self_play import self_play

    path = ROOT / "configs" / "self_play" / "nano_exam.yaml"
    prepared = self_play.with_options(config_path=str(path))
    given = prepared._run_args["config_path"]
    assert yaml.safe_load(Path(given).read_text()) == read_yaml(path)
    plain = ROOT / "configs" / "self_play" / "nano.yaml"
    assert self_play.with_options(config_path=str(plain))._run_args["config_path"] == str(plain)


MODEL = "model: {name: x}\n"


@pytest.mark.parametrize(
    ("pipeline", "text", "says"),
    [
        ("self_play", MODEL + "parameters: {config: {sead: 1}}", "sead: unknown key"),
        ("self_play", MODEL + "parameters: {config: {}, rounds: 0}", "parameters.rounds must be an integer from 1 on"),
        ("self_play", MODEL + "parameters: {config: {}}\nenable_cache: maybe", "enable_cache: input should be a valid boolean"),
        ("self_play", MODEL + "parameters: {config: {}}\nexecution_mode: quick", "execution_mode: input should be 'fail_fast'"),
        ("self_play", MODEL + "parameters: {config: {}}\nsteps: {resume: {outputs: {x: 1}}}", "Unsupported type"),
        ("self_play", "parameters: {config: {}}", "model is missing"),
        (
            "ablation",
            "parameters: {config: {name: x, reference: a, arms: [{name: a}], recipe: none.yaml}}",
            "none.yaml cannot be",
        ),
    ],
)
def test_a_recipe_that_is_refused_is_one_line_of_the_zenml_command(tmp_path, pipeline, text, says):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    done = CliRunner().invoke(zenml_cli, ["pipeline", "run", f"pipelines.{pipeline}.{pipeline}", "-c", str(path)])
    assert done.exit_code == 2
    (line,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert says in line
    assert "Traceback" not in done.output
