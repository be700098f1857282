"""ZenML gets the complete recipe where a file holds only its changes to another one."""

from pathlib import Path

import pytest
import yaml

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
