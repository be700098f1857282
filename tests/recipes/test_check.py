"""Every shipped configuration is valid, every misspelling is found, and the keys are ZenML's."""

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest
import yaml
from click.testing import CliRunner

from vision_zero.cli.app import cli
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.tracking import TrackerName
from vision_zero.config_base import field_docs
from vision_zero.errors import ConfigError
from vision_zero.recipes import recipe_file
from vision_zero.recipes.check import ROOTS, RUN_KEYS, STEP_KEYS, check_before_run, check_file, read_self_play
from vision_zero.recipes.recipe_file import parse_yaml, read_recipe, read_yaml

ROOT = Path(__file__).resolve().parents[2]
# Those below stacks are no recipes: tests/stacks checks them.
FILES = sorted(path for path in (ROOT / "configs").glob("*/*.yaml") if path.parent.name != "stacks")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shipped_files_are_valid_and_have_a_header(path):
    check_file(path)
    header = [line for line in path.read_text().splitlines() if line.startswith("#")][:6]
    text = " ".join(header).lower()
    for word in ("zenml pipeline run", "hardware", "minutes"):
        assert word in text, f"{path} does not say: {word}"
    assert read_yaml(path)["execution_mode"] == "fail_fast"


def test_there_are_files():
    assert FILES


def test_the_known_keys_are_zenmls():
    from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
    from zenml.config.step_configurations import StepConfigurationUpdate

    assert set(PipelineRunConfiguration.model_fields) == RUN_KEYS
    assert set(StepConfigurationUpdate.model_fields) == STEP_KEYS


def written(tmp_path, data):
    path = tmp_path / "config.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return path


def with_config(**config):
    return {"parameters": {"rounds": 1, "config": config}}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (with_config(sead=1), "sead: unknown key"),
        (with_config(learning={"kll": 0.1}), "learning.kll: unknown key"),
        (with_config(learning={"switch": {"patience": "soon"}}), "learning.switch.patience: input should be a valid integer"),
        (with_config(learning={"learning_rate": -1}), "learning.learning_rate: input should be greater than 0"),
        (with_config(game={"spy_image": "none"}), "game.spy_image: input should be 'modified', 'blank' or 'identical'"),
        (with_config(pairs={"scenes": {"min_objects": 9}}), "pairs.scenes: min_objects must not be larger"),
        (with_config(pairs={"mix": {"scenes": 0}}), "at least one domain"),
        (with_config(pairs={"mix": {"scenes": float("inf")}}), "pairs.mix.scenes: input should be a finite number"),
        (with_config(pairs={"mix": {"scene": 1}}), "pairs.mix.scene: scene is no domain of pairs"),
        (with_config(preset=["lora"]), "preset: input should be 'paper'"),
        (with_config(policy={"adapter": {"target_modules": "(("}}), "policy.adapter.target_modules: '((' is not a regular"),
        (with_config(policy={"adapter": {"exclude_modules": "(("}}), "policy.adapter.exclude_modules: '((' is not a regular"),
        (with_config(learning="fast"), "learning: must be a mapping of settings"),
        (with_config(**{"se\ned": 1}), "se ed: unknown key"),
        (
            with_config(suites=[{"name": "scenes"}], policy={"adapter": "x", "endpoint": {"url": "http://x/v1", "model": "m"}}),
            "adapter works only for a policy that is loaded here",
        ),
        ({"parameters": {"config": None}}, "must be a mapping of settings"),
        ({"parameters": {"config": {}, "rounds": 0}}, "parameters.rounds must be an integer from 1 on"),
        ({"parameters": {"config": {}, "rounds": "many"}}, "parameters.rounds must be an integer from 1 on"),
        ({"parameters": {"config": {"domain": "scenes"}, "rounds": 2}}, "parameters.rounds is only for self_play"),
        ({**with_config(), "model": "nano"}, "model must be a mapping with the model's name"),
        ({**with_config(), "model": {"nam": "nano"}}, "model must be a mapping with the model's name"),
        ({"parameters": {"config": {}, "sede": 1}}, "did you mean parameters.config.sede"),
        ({"parameters": {}}, "parameters.config is missing"),
        ({"parameter": {"config": {}}}, "parameter is not a key of a pipeline configuration"),
        ({**with_config(), "enable_cach": True}, "enable_cach is not a key"),
        ({**with_config(), "steps": {"resume": {"enable_cach": True}}}, "steps.resume.enable_cach is not a key"),
        ("just text", "must be a mapping"),
        ("a: [1", "is not YAML"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("[" * 5000, "is not YAML"),
        ("a: 2026-02-31", "is not YAML"),
        ("a: &a [*a]", "is not YAML: a value contains itself in line 1"),
        ({**with_config(), "steps": ["resume"]}, "steps must be a mapping"),
        (
            "parameters: {config: {seed: 1}}\nexecution_mode: fail_fast\nparameters: {config: {seed: 2}}",
            "key parameters stands in lines 1 and 3",
        ),
        ("parameters:\n  config:\n    seed: 1\n    learning: {kl: 0.1}\n    seed: 2", "key seed stands in lines 3 and 5"),
        ("parameters: {config: {learning: {kl: 0.1, 'kl': 0.2}}}", "key kl stands in lines 1 and 1"),
        ("parameters: {config: {}}\nsteps:\n  resume: {}\n  resume: {enable_cache: true}", "key resume stands in lines 3 and 4"),
    ],
)
def test_each_mistake_is_one_line_that_names_the_place(tmp_path, data, words):
    with pytest.raises(ConfigError) as error:
        check_file(written(tmp_path, data))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_what_a_merge_brings_in_may_be_overridden(tmp_path):
    text = "extra:\n  shared: &shared {kl: 0.1, alpha: 1}\n  own: {<<: *shared, kl: 0.2}\nparameters: {config: {}}"
    assert read_yaml(written(tmp_path, text))["extra"]["own"] == {"kl": 0.2, "alpha": 1}


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"seed": 1, "iterations_per_round": 2}, "SelfPlay"),
        ({}, "SelfPlay"),
        ({"suites": [{"name": "scenes"}]}, "Evaluate"),
        ({"suites": {"suites": [{"name": "scenes"}]}}, "SelfPlay"),
        ({"suite_evaluation": {"suites": [{"name": "scenes"}]}}, "SelfPlay"),
        ({"domain": "scenes", "train": 4}, "BuildPairs"),
        ({"model": "nano"}, "Publish"),
        ({"phases": [{"steps": 1, "topics": {"list": 1.0}}]}, "WarmStart"),
    ],
)
@pytest.mark.parametrize("folder", ["evaluate", "somewhere"])
def test_a_recipe_is_judged_by_what_it_says_not_by_its_folder(tmp_path, config, kind, folder):
    (tmp_path / folder).mkdir()
    path = written(tmp_path / folder, {"parameters": {"config": config}})
    if config == {} and folder == "evaluate":  # nothing in it tells: then the folder does
        with pytest.raises(ConfigError, match="suites: field required"):
            check_file(path)
        return
    assert check_file(path).splitlines()[0] == f"a valid configuration of {kind}"


def test_a_recipe_changes_the_one_that_it_extends(tmp_path):
    (tmp_path / "below").mkdir()
    config = {"seed": 1, "learning": {"kl": 0.1, "beta2": 0.9}}
    first = {"model": {"name": "first"}, "parameters": {"rounds": 2, "config": config}}
    (tmp_path / "below" / "first.yaml").write_text(yaml.safe_dump(first))
    (tmp_path / "second.yaml").write_text("extends: below/first.yaml\nmodel: {name: second}\n")
    third = written(tmp_path, "extends: second.yaml\nparameters: {config: {learning: {kl: 0.2}}}")
    assert read_yaml(third) == {
        "model": {"name": "second"},
        "parameters": {"rounds": 2, "config": {"seed": 1, "learning": {"kl": 0.2, "beta2": 0.9}}},
    }
    assert read_recipe(third).extends_another
    assert not read_recipe(tmp_path / "below" / "first.yaml").extends_another


@pytest.mark.parametrize(
    ("extended", "words"),
    [
        ("second.yaml", "extends recipe.yaml leads back to this recipe"),
        ("nowhere.yaml", "nowhere.yaml cannot be read"),
        ("[a.yaml, b.yaml]", "extends must be the path of one recipe"),
    ],
)
def test_a_recipe_that_extends_itself_or_nothing_is_one_line(tmp_path, extended, words):
    path = written(tmp_path, f"extends: {extended}\nparameters: {{config: {{}}}}")
    (tmp_path / "second.yaml").write_text(f"extends: {path.name}\n")
    with pytest.raises(ConfigError) as caught:
        check_file(path)
    assert words.replace("recipe.yaml", path.name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_each_file_of_a_recipe_is_parsed_once(tmp_path, monkeypatch):
    parsed = []
    monkeypatch.setattr(recipe_file, "parse_yaml", lambda text: parsed.append(text) or parse_yaml(text))
    (tmp_path / "first.yaml").write_text("parameters: {config: {seed: 1}}")
    second = written(tmp_path, "extends: first.yaml\nparameters: {config: {seed: 2}}")
    for read in (read_self_play, partial(check_before_run, pipeline="self_play")):
        parsed.clear()
        read(second)
        assert parsed == [second.read_text(), (tmp_path / "first.yaml").read_text()]


def test_check_config_shows_what_a_recipe_and_the_extended_one_make_together():
    exam, nano = (ROOT / "configs" / "self_play" / f"{name}.yaml" for name in ("nano_exam", "nano"))
    done = CliRunner().invoke(cli, ["check-config", str(exam)])
    said, _, shown = done.output.partition("\n")
    assert said.endswith("a valid configuration of SelfPlay")
    assert yaml.safe_load(shown) == read_yaml(exam)
    assert CliRunner().invoke(cli, ["check-config", str(nano)]).output.count("\n") == 1


def test_a_recipe_given_to_another_pipeline_is_told_so(tmp_path):
    path = written(tmp_path, with_config(seed=1, learning={"kl": 0.1}))
    with pytest.raises(ConfigError, match=r"looks like a configuration of self_play, and was given to evaluate"):
        check_before_run(path, "evaluate")


def test_a_mistake_in_an_evaluation_is_not_taken_for_a_run_that_also_has_suites(tmp_path):
    path = written(tmp_path, with_config(suites=[], policy={"base": "nano"}))
    with pytest.raises(ConfigError) as caught:
        check_before_run(path, "evaluate")
    assert "suites: tuple should have at least 1 item" in str(caught.value)
    assert "it looks like" not in str(caught.value)


@pytest.mark.parametrize("recipe", ["parameters: {config: [1]}", "parameters: [1]", "parameters: {config: hello}"])
def test_a_recipe_that_an_ablation_cannot_read_is_named(tmp_path, recipe):
    (tmp_path / "recipe.yaml").write_text(recipe)
    arms = {"name": "x", "reference": "a", "arms": [{"name": "a"}], "recipe": str(tmp_path / "recipe.yaml")}
    with pytest.raises(ConfigError, match=r"recipe\.yaml: parameters\.config must be a mapping"):
        check_file(written(tmp_path, {"parameters": {"config": arms}}))


def test_a_list_with_a_wrong_item_is_not_said_to_be_short(tmp_path):
    with pytest.raises(ConfigError) as caught:
        check_file(written(tmp_path, with_config(name="x", reference="a", arms=[{"name": "a", "changes": [1]}])))
    assert str(caught.value).endswith("arms.0.changes: input should be a valid dictionary")


def test_a_comment_with_a_variable_does_not_stop_the_check(tmp_path):
    path = written(tmp_path, "# photos are below ${HOME}\nparameters: {config: {sead: 1}}")
    with pytest.raises(ConfigError, match="sead: unknown key"):
        check_before_run(path, "self_play")


def test_a_variable_of_the_extended_recipe_is_left_to_zenml(tmp_path):
    (tmp_path / "below.yaml").write_text("parameters: {config: {seed: '${SEED}'}}")
    check_before_run(written(tmp_path, "extends: below.yaml"), "self_play")


def test_variables_are_left_to_zenml(tmp_path):
    check_before_run(written(tmp_path, with_config(seed="${SEED}")), "self_play")
    with pytest.raises(ConfigError, match="enable_cach is not a key"):
        check_before_run(written(tmp_path, {**with_config(seed="${SEED}"), "enable_cach": True}), "self_play")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ROOTS))
def test_a_file_given_to_zenml_is_checked_before_zenml_reads_it(tmp_path, name):
    pipeline = getattr(import_module(f"pipelines.{name}"), name)
    path = written(tmp_path, "parameters: {config: {}}\nenable_cache: true\nenable_cache: false")
    with pytest.raises(ConfigError, match="the key enable_cache stands in lines 2 and 3"):
        pipeline.with_options(config_path=str(path))
    path = written(tmp_path, {"parameters": {"config": {}}, "enable_cach": False})
    with pytest.raises(ConfigError, match="enable_cach is not a key"):
        pipeline.with_options(config_path=str(path))


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        check_file(tmp_path / "none.yaml")


def test_the_tree_is_frozen():
    config = SelfPlayConfig()
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 3
    with pytest.raises(ValueError, match="frozen"):
        config.learning.switch.patience = 3


def test_every_field_is_documented():
    def undocumented(model, path=""):
        for name, field in model.model_fields.items():
            if not field_docs(model).get(name):
                yield f"{path}{name}"
            if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
                yield from undocumented(field.annotation, f"{path}{name}.")

    assert list(undocumented(SelfPlayConfig)) == []


def test_the_json_schema_that_zenml_stores_has_the_documentation_of_every_field():
    schema = SelfPlayConfig.model_json_schema()
    for model in (schema, *schema["$defs"].values()):
        for name, settings in model.get("properties", {}).items():
            assert settings.get("description"), (model["title"], name)
    assert schema["properties"]["replay_games"]["description"] == "Games in a replay."


def test_defaults_are_the_papers():
    config = SelfPlayConfig()
    assert (config.rewards.beta, config.rewards.lam, config.rewards.baseline_decay) == (0.1, 0.1, 0.95)
    assert (config.rewards.vote_right, config.rewards.vote_abstain, config.rewards.vote_wrong) == (1.0, -0.5, -1.0)
    learning = config.learning
    assert (learning.iterations, learning.games_per_iteration, learning.learning_rate, learning.kl) == (100, 128, 1e-5, 0.04)
    switch = learning.switch
    assert (switch.decay, switch.accuracy_to_clue, switch.abstention_to_clue) == (0.95, 0.9, 0.1)
    assert (switch.error_to_decision, switch.abstention_to_decision) == (0.4, 0.5)
    assert (switch.min_iterations, switch.patience, switch.start) == (5, 20, "decision")
    assert (config.game.civilians, config.game.rounds, config.game.spy_image) == (3, 2, "modified")


def test_a_tracker_that_is_not_installed_is_one_line_before_any_work(tmp_path):
    missing = [name for name in get_args(TrackerName) if find_spec(name) is None]
    if not missing:
        pytest.skip("all trackers are installed here")
    file = written(tmp_path, {"parameters": {"config": {"tracking": ["tensorboard", missing[0]]}}})
    said = rf"^tracking: {missing[0]} is not installed here: pip install 'vision-zero\[{missing[0]}\]'"
    for checked in (partial(check_file, file), partial(check_before_run, file, "self_play")):
        with pytest.raises(ConfigError, match=said):
            checked()


def test_trackers_are_named_once_each_and_are_known(tmp_path):
    for given, said in ((["tensorboard", "tensorboard"], "names a tracker twice"), (["neptune"], "tracking.0: input should be")):
        with pytest.raises(ConfigError, match=said):
            check_file(written(tmp_path, {"parameters": {"config": {"tracking": given}}}))
