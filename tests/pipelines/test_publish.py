"""The publishing pipeline through ZenML: nothing before a promotion, then a model that loads, with its card."""

from __future__ import annotations

import pytest
import yaml
from zenml.client import Client

from tests.make import write_tiny_recipe
from vision_zero.config.policy import PolicyConfig
from vision_zero.policy.loading import load_policy

pytestmark = pytest.mark.zenml

MODEL = "vision_zero_published"


def publish(folder, model, **config):
    from pipelines.publish import publish as pipeline

    file = folder / "publish.yaml"
    file.write_text(yaml.safe_dump({"execution_mode": "fail_fast", "parameters": {"config": {"model": model, **config}}}))
    return pipeline.with_options(config_path=str(file))()


def test_the_policy_in_production_is_published_with_its_scores(tiny_base, tmp_path):
    from pipelines.self_play import self_play

    trained = self_play.with_options(config_path=str(write_tiny_recipe(tmp_path / "tiny.yaml", tiny_base, MODEL, {})))()
    target = tmp_path / "published"
    result = publish(tmp_path, MODEL, target=str(target), limits="It is tiny.")
    assert result.steps["deliver_folder"].outputs["address"][0].load() == str(target)
    card = (target / "README.md").read_text()
    head = (f"# {MODEL} 1", f"`{tiny_base}`")
    for words in (*head, "2 iterations in 1 run:", "| decision/accuracy |", "| scenes |", "It is tiny."):
        assert words in card, words
    assert "base_model:" not in card, "the hub would take a path of this machine for a repository"
    assert (target / "contents.json").is_file()
    load_policy(PolicyConfig(base=str(target)), None)
    # The published artifact comes from the artifacts that were trained, and the dashboard shows it.
    loaded = {version.id for versions in result.steps["build_folder"].inputs.values() for version in versions}
    assert trained.steps["decision_stage_1"].outputs["trained_policy"][0].id in loaded


def test_a_policy_that_an_earlier_version_promoted_is_published(tmp_path):
    """Its scores on suites are the artifact ``benchmarks``."""
    client = Client()
    client.update_artifact("suites", new_name="benchmarks")
    try:
        publish(tmp_path, MODEL, target=str(tmp_path / "published"))
    finally:
        client.update_artifact("benchmarks", new_name="suites")
    assert f"# {MODEL} 1" in (tmp_path / "published" / "README.md").read_text()


def test_a_model_that_was_never_promoted_is_one_line(tmp_path):
    with pytest.raises(Exception, match="model nobody_trained has no version production: run the self_play"):
        publish(tmp_path, "nobody_trained", target=str(tmp_path / "published"))
