"""An ablation's arms are validated like any configuration, and measured alike."""

from pathlib import Path

import pytest
import yaml

from vision_zero.config.ablation import AblationConfig, slug
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config_base import merged
from vision_zero.errors import ConfigError
from vision_zero.recipes.ablation_plan import plan
from vision_zero.recipes.check import check_file, read_arms

ROOT = Path(__file__).resolve().parents[2]
RECIPE = {"learning": {"iterations": 6, "kl": 0.1}, "game": {"civilians": 3}, "evaluation": {"pairs": 8}}
CLUE_ONLY = {"learning": {"switch": {"rule": "never", "start": "clue"}}}
ARMS = [
    {"name": "whole"},
    {"name": "clue only", "changes": CLUE_ONLY},
    {"name": "four", "changes": {"game": {"civilians": 4}}},
]


def arms(**changes):
    """Arms of those names."""
    return {"arms": [{"name": name, "changes": own} for name, own in changes.items()]}


def ablation(**changes):
    return AblationConfig.model_validate({"name": "test", "reference": "whole", "arms": ARMS, "seeds": [3, 5], **changes})


def test_every_arm_runs_with_every_seed_and_differs_in_what_it_names():
    runs = plan(ablation(changes={"learning": {"kl": 0.2}}), RECIPE)
    assert [(run.arm, run.seed) for run in runs] == [(arm, seed) for seed in (3, 5) for arm in ("whole", "clue only", "four")]
    assert [run.config.seed for run in runs] == [3, 3, 3, 5, 5, 5]
    assert [(run.number, run.total) for run in runs] == [(number, 6) for number in range(1, 7)]
    assert {(run.config.learning.kl, run.config.learning.iterations) for run in runs} == {(0.2, 6)}
    assert [run.config.learning.switch.rule for run in runs[:3]] == ["threshold", "never", "threshold"]
    assert [run.config.game.civilians for run in runs[:3]] == [3, 3, 4]


def test_all_arms_are_measured_on_the_same_pairs_under_the_same_rules():
    runs = plan(ablation(), RECIPE)
    assert len({run.config.evaluation.model_dump_json() for run in runs}) == 1
    assert runs[2].config.evaluation.game == SelfPlayConfig.model_validate(RECIPE).game
    assert {run.config.alarms.transfer_loss for run in runs} == {1.0}


def test_arms_may_sample_otherwise_in_training_and_in_other_batches():
    own = {"policy": {"sampling": {"batch_size": 8}}, "learning": {"decision": {"vote_temperature": 0.5}}}
    runs = plan(ablation(**arms(whole={}, warm=own)), RECIPE)
    assert [run.config.learning.decision.vote_temperature for run in runs[:2]] == [None, 0.5]
    with pytest.raises(ConfigError, match=r"arm 'lora' may not change policy\.sampling\.max_clue_tokens: all arms are evaluated"):
        plan(ablation(**arms(whole={}, lora={"preset": "lora"})), RECIPE)


def test_a_last_measurement_changes_what_is_measured_and_nothing_else():
    suites = {"suites": [{"name": "charts", "look": "compact"}], "gate": {"must_improve": ["charts-compact"]}}
    before = plan(ablation(changes={"suite_evaluation": suites}), RECIPE)
    runs = plan(ablation(changes={"suite_evaluation": suites}, final={"evaluation": {"pairs": 32, "samples": 8}}), RECIPE)
    assert [run.model for run in runs] == [run.model for run in before]
    assert {run.final for run in before} == {None}
    for run in runs:
        assert (run.config.evaluation.pairs, run.final.evaluation.pairs, run.final.evaluation.samples) == (8, 32, 8)
        assert run.final.runs_folder == f"{run.config.runs_folder}_final"
        assert run.final.evaluation.game == run.config.evaluation.game
        same = {"evaluation", "runs_folder"}
        assert run.final.model_dump(exclude=same) == run.config.model_dump(exclude=same)
        # Arms are compared, not promoted: nothing that is measured keeps one from going on.
        assert (run.config.suite_evaluation.gate.must_improve, run.config.suite_evaluation.gate.largest_loss) == ((), 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "configs/ablation").glob("*.yaml")), ids=lambda path: path.stem)
def test_only_the_ablations_of_documented_tables_look_at_the_exam_and_only_at_the_end(path):
    """Its pairs are for the tables of results alone, and the README counts their use; whoever wants other arms measured on them
    says so in ``final``."""
    exam = settings(ROOT / "configs/self_play/nano_exam.yaml")["evaluation"]["seed"]
    config = AblationConfig.model_validate(settings(path))
    development = SelfPlayConfig().evaluation.seed
    runs = plan(config, settings(ROOT / config.recipe))
    assert {run.config.evaluation.seed for run in runs} == {development} != {exam}
    at_the_end = {run.final.evaluation.seed for run in runs if run.final is not None}
    assert at_the_end <= {exam if path.stem in ("learning", "two_images") else development}
    asked = plan(config.model_copy(update={"final": {"evaluation": {"seed": exam}}}), settings(ROOT / config.recipe))
    assert {run.final.evaluation.seed for run in asked} == {exam}
    assert {run.config.evaluation.seed for run in asked} == {development}


def test_progress_belongs_to_a_name_an_arm_a_seed_and_its_settings():
    before = [run.model for run in plan(ablation(), RECIPE)]
    assert len(set(before)) == 6
    assert [run.model for run in plan(ablation(runs_folder="elsewhere"), RECIPE)] == before
    after = [
        run.model for run in plan(ablation(arms=[*ARMS[:2], {"name": "four", "changes": {"game": {"civilians": 5}}}]), RECIPE)
    ]
    assert [one == two for one, two in zip(before, after, strict=True)] == [True, True, False] * 2


def test_what_was_trained_from_other_weights_is_not_taken_for_progress(tmp_path):
    """A new embedded policy, or another model in the same folder: or else the report would show the old one's arms."""
    from_folder = {"changes": {"policy": {"base": str(tmp_path)}}}
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"old")
    before = [run.model for run in plan(ablation(**from_folder), RECIPE)]
    assert [run.model for run in plan(ablation(**from_folder), RECIPE)] == before
    weights.write_bytes(b"new")
    assert not set(before).intersection(run.model for run in plan(ablation(**from_folder), RECIPE))
    on_a_hub = {"changes": {"policy": {"base": "someone/some-model"}}}
    assert plan(ablation(**on_a_hub), RECIPE) == plan(ablation(**on_a_hub), RECIPE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reference": "none"}, "reference 'none' is not one of the arms"),
        ({"seeds": [1, 1]}, "seeds must differ"),
        (arms(**{"whole": {}, "a b": {}, "a-b": {}}), "arms must differ in letters and digits"),
        (arms(whole={"evaluation": {"pairs": 9}}), "may not change evaluation"),
        (arms(whole={"seed": 9}), "may not change seed"),
        (arms(whole={"pairs": {"mix": {"charts": 1}}}), "may change only pairs.spoiled"),
        (arms(whole={}, warm={"policy": {"sampling": {"temperature": 1.0}}}), "may not change policy.sampling.temperature"),
        (arms(**{"whole": {}, "../x": {}}), "arms.1.name"),
        ({"final": {"learning": {"iterations": 3}}}, "final may not change learning: it only evaluates what was trained"),
        ({"final": {"evaluation": {"pear": 3}}}, "final: evaluation.pear: unknown key"),
    ],
)
def test_arms_that_could_not_be_compared_are_refused(tmp_path, changes, words):
    data = {"name": "test", "reference": "whole", "arms": ARMS, **changes}
    path = tmp_path / "ablation" / "x.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({"parameters": {"config": data}}))
    with pytest.raises(ConfigError) as error:
        check_file(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert ": :" not in str(error.value), "a rule about several settings has no path of its own"


SERVED = {"server": {"url": "http://127.0.0.1:8000/v1", "model": "nano", "adapters": "/shared"}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"side_by_side": 2, **arms(whole={"policy": {**SERVED, "adapter": None}})}, "serves one run: set side_by_side 1"),
        (arms(whole={"policy": {**SERVED, "adapter": None}}, lora={"policy": SERVED}), "give them other servers"),
    ],
)
def test_a_server_of_all_weights_is_for_one_arm_at_a_time(changes, words):
    with pytest.raises(ConfigError, match=words):
        plan(ablation(**changes), RECIPE)
    assert plan(ablation(side_by_side=2, **arms(whole={"policy": SERVED})), RECIPE)


def test_an_arm_that_is_no_configuration_is_named():
    with pytest.raises(ConfigError, match=r"arm 'clue': learning.swich: unknown key"):
        plan(ablation(**arms(whole={}, clue={"learning": {"swich": {}}})), RECIPE)
    with pytest.raises(ConfigError, match=r"all arms: learning.kll: unknown key"):
        plan(ablation(changes={"learning": {"kll": 1}}), RECIPE)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_arms(ablation(recipe="no/such.yaml"))


def test_settings_are_merged():
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2]}) == {"a": {"b": 3, "c": 2}, "d": [2]}
    assert slug("20 % bad pairs") == "20_bad_pairs"


def settings(path):
    return yaml.safe_load(path.read_text())["parameters"]["config"]


def test_the_shipped_ablations_are_the_papers():
    paper, quick = (
        AblationConfig.model_validate(settings(ROOT / f"configs/ablation/{name}.yaml")) for name in ("paper", "quick")
    )
    runs = {run.arm: run.config for run in plan(paper, settings(ROOT / paper.recipe))}
    rules = [runs[arm].learning.switch.rule for arm in ("clue only", "decision only", "fixed alternation")]
    assert rules == ["never", "never", "fixed"]
    assert not runs["without rae"].rewards.role_advantage
    assert sorted({config.rewards.baseline_decay for config in runs.values()}) == [0.8, 0.9, 0.95, 0.99]
    assert sorted({config.game.civilians for config in runs.values()}) == [2, 3, 4]
    assert sorted({config.game.rounds for config in runs.values()}) == [1, 2, 3]
    assert {config.game.spy_image for config in runs.values()} == {"modified", "blank"}
    assert runs["20 % bad pairs"].pairs.spoiled == 0.2
    assert len(quick.seeds) >= 3
    assert [arm.name for arm in quick.arms] == ["alternating", "clue only", "decision only"]


def test_the_controls_are_what_they_are_called():
    controls = AblationConfig.model_validate(settings(ROOT / "configs/ablation/learning.yaml"))
    runs = {run.arm: run.config for run in plan(controls, settings(ROOT / controls.recipe)) if run.seed == 0}
    assert controls.reference == "self-play"
    assert len(controls.seeds) == 5
    assert [arm for arm, config in runs.items() if config.rewards.shuffled] == ["shuffled"]
    assert [arm for arm, config in runs.items() if config.learning.method == "supervised"] == ["supervised"]
    assert [arm for arm, config in runs.items() if config.rewards.vote == "brier"] == ["votes by a scoring rule"]
    played, supervised = runs["self-play"], runs["supervised"]
    # The same weights, adapter, schedule and images, and as many replies in an update.
    for same in ("policy", "pairs", "evaluation"):
        assert getattr(supervised, same) == getattr(played, same)
    differs = {"method", "switch"}
    assert supervised.learning.model_dump(exclude=differs) == played.learning.model_dump(exclude=differs)
