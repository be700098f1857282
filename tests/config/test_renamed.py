"""Settings under names of the last release are read, with a warning that says the new name."""

import hashlib
import logging

import pytest

from vision_zero.config import renamed
from vision_zero.config.ablation import AblationConfig
from vision_zero.config.renamed import with_present_names
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.errors import ConfigError
from vision_zero.recipes.ablation_plan import plan

SUITES = {"suites": [{"name": "scenes"}], "limit": 3}


@pytest.fixture(autouse=True)
def _nobody_was_warned():
    renamed._warn.cache_clear()


@pytest.mark.parametrize("name", ["benchmarks", "suites"])
def test_an_old_name_means_the_new_one_and_one_warning_says_so(caplog, name):
    with caplog.at_level(logging.WARNING):
        old = [SelfPlayConfig.model_validate({"seed": 1, name: SUITES}) for _ in range(2)]
    assert old == [SelfPlayConfig.model_validate({"seed": 1, "suite_evaluation": SUITES})] * 2
    assert [record.getMessage() for record in caplog.records] == [
        f"the setting {name} is called suite_evaluation now: rename it; the next release no longer reads the old name"
    ]


def test_a_preset_does_not_hide_an_old_name():
    assert SelfPlayConfig.model_validate({"preset": "paper", "suites": SUITES}).suite_evaluation.limit == 3


def test_a_setting_under_both_names_is_refused():
    for other in ("suite_evaluation", "benchmarks"):
        with pytest.raises(ConfigError, match=r"^suites is the old name of suite_evaluation: leave suites out$"):
            SelfPlayConfig.model_validate({"suites": SUITES, other: SUITES})


def test_what_is_written_and_read_again_has_no_old_name():
    config = SelfPlayConfig.model_validate({"suites": SUITES})
    assert "suites" not in config.model_dump()
    assert SelfPlayConfig.model_validate_json(config.model_dump_json()) == config


def test_names_inside_other_settings_are_found(monkeypatch, caplog):
    monkeypatch.setattr(renamed, "RENAMED", {"self_play": {"policy.sampling.old": "policy.sampling.new"}})
    given = {"policy": {"sampling": {"old": 1, "same": 2}}, "old": 3}
    assert with_present_names(given) == {"policy": {"sampling": {"new": 1, "same": 2}}, "old": 3}
    assert "policy.sampling.old is called policy.sampling.new now" in caplog.text
    assert given["policy"]["sampling"]["old"] == 1, "what was given is not changed"
    for strange in ({"policy": 3}, {"policy": {"sampling": None}}, {}, [1], None, [{"policy": 1}]):
        assert with_present_names(strange) == strange
    with pytest.raises(ConfigError, match=r"^policy\.sampling\.old is the old name of policy\.sampling\.new"):
        with_present_names({"policy": {"sampling": {"old": 1, "new": 1}}})


@pytest.mark.parametrize("recipe_key", ["suite_evaluation", "suites", "benchmarks"])
@pytest.mark.parametrize("key", ["suite_evaluation", "suites", "benchmarks"])
def test_an_ablation_reads_old_names_in_its_recipe_and_in_all_changes(recipe_key, key):
    def planned(recipe_key, key):
        arms = [{"name": "a"}, {"name": "b", "changes": {key: {"limit": 5}}}]
        more = {"changes": {key: {"batch_size": 2}}, "final": {key: {"limit": 9}}}
        config = AblationConfig.model_validate({"name": "test", "reference": "a", "arms": arms, "seeds": [0], **more})
        return plan(config, {recipe_key: SUITES})

    runs = planned(recipe_key, key)
    found = [(run.config.suite_evaluation, run.final.suite_evaluation.limit) for run in runs]
    assert [(settings.limit, settings.batch_size, final) for settings, final in found] == [(3, 2, 9), (5, 2, 9)]
    assert runs == planned("suite_evaluation", "suite_evaluation")


def test_a_renamed_setting_leaves_a_models_name_as_it_was():
    """An ablation that was begun before goes on: its models are found under the names that they had."""
    config = AblationConfig(name="test", reference="a", arms=[{"name": "a"}], seeds=[0])
    [run] = plan(config, {"suites": SUITES}, lambda _: "")
    then = run.config.model_dump_json(exclude={"runs_folder", "promotion"}).replace("suite_evaluation", "suites")
    assert run.model == f"ablation_test_a_0_{hashlib.blake2b(then.encode(), digest_size=4).hexdigest()}"


def test_a_warm_start_reads_old_names_in_the_list_of_its_phases():
    phase = {"steps": 1, "topics": {"list": 1.0}}
    old = {"tokenizer_lessons": 100, "phases": [{**phase, "lessons_per_picture": 3}, phase]}
    new = {"tokenizer_examples": 100, "phases": [{**phase, "examples_per_picture": 3}, phase]}
    assert WarmStartConfig.model_validate(old) == WarmStartConfig.model_validate(new)
