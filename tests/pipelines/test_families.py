"""Another family of models, all of whose weights learn, through ZenML: trained, resumed, asked suites, promoted and published."""

import pytest
import yaml

from tests.make import write_tiny_recipe
from tests.policy.families import write_family
from vision_zero.config.policy import PolicyConfig
from vision_zero.game import spy as game_rules
from vision_zero.game.parsing import Vote
from vision_zero.policy.loading import load_policy

pytestmark = pytest.mark.zenml

MODEL = "vision_zero_family"
SUITES = {"suites": [{"name": "scenes", "look": "compact", "items": 3}], "sampling": {"max_tokens": 4}, "resamples": 100}


def test_a_policy_trained_whole_is_resumed_promoted_and_published(tmp_path, monkeypatch):
    from pipelines.publish import publish
    from pipelines.self_play import self_play

    # A random model's votes mean nothing and earn nothing: the length of a reply decides, so that there is something to learn.
    monkeypatch.setattr(game_rules, "read_vote", lambda reply, seats: ("", Vote(len(reply) % seats + 1)))
    base = write_family("internvl", tmp_path / "base")
    changes = {"policy__adapter": None, "policy__train_on": "both", "suite_evaluation": SUITES}
    recipe = write_tiny_recipe(tmp_path / "tiny.yaml", base, MODEL, changes)
    _, second = (self_play.with_options(config_path=str(recipe))() for _ in range(2))
    assert second.steps["promote"].outputs["promoted_version"][0].load() == 2
    assert second.steps["switch_stage_1"].outputs["stage_state"][0].load().iteration == 4
    trained = second.steps["decision_stage_1"].outputs["trained_policy"][0].load()
    assert trained.is_full
    card = second.steps["ask_suites"].outputs["suites"][0].load()
    assert card.suites[0].comparison is not None, "beside its base, which is another model"
    config = {"model": MODEL, "target": str(tmp_path / "published")}
    (tmp_path / "publish.yaml").write_text(yaml.safe_dump({"execution_mode": "fail_fast", "parameters": {"config": config}}))
    publish.with_options(config_path=str(tmp_path / "publish.yaml"))()
    published, own = (load_policy(PolicyConfig(base=str(folder)), None) for folder in (tmp_path / "published", base))
    assert "all weights of `" in (tmp_path / "published" / "README.md").read_text()
    weights = published.model.state_dict()
    assert any((tensor != weights[name]).any() for name, tensor in own.model.state_dict().items())
