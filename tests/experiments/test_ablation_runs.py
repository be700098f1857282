"""Results are made from the runs that arms ended with, and from no others that lie in the same folders."""

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from steps.arm_runs import write_recipe
from tests.report.test_results import leave_files
from vision_zero.cli.app import cli
from vision_zero.config.ablation import MEASURED, AblationConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.errors import EvaluationError
from vision_zero.experiments.ablation_runs import ablation_runs, is_measured
from vision_zero.experiments.results import CURVES, Results
from vision_zero.experiments.run_record import IDENTITY, RunIdentity, RunRecord, last_run
from vision_zero.recipes.ablation_plan import plan

pytestmark = pytest.mark.slow

RECIPE = {"learning": {"iterations": 100}, "evaluation": {"pairs": 8}}


@pytest.fixture
def settings(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"parameters": {"config": RECIPE}}))
    return {
        "name": "trial",
        "recipe": str(recipe),
        "reference": "self-play",
        "arms": [{"name": "shuffled rewards", "changes": {"rewards": {"shuffled": True}}}, {"name": "self-play"}],
        "seeds": [3, 5],
        "runs_folder": str(tmp_path / "runs"),
    }


def arms(settings):
    config = AblationConfig.model_validate(settings)
    return config, {(arm.arm, arm.seed): arm for arm in plan(config, RECIPE)}


def leave(arm, config, name, forced, iteration=100):
    """What a run of an arm leaves, as far as results are made of it."""
    write_recipe(arm, config)
    return leave_run(config.runs_folder, name, forced, arm.model, iteration)


def leave_run(runs, name, forced, model="", iteration=100):
    folder = Path(runs) / name
    leave_files(folder, forced, iteration)
    (folder / IDENTITY).write_text(RunIdentity(run=name, rewards=RewardsConfig(), model=model).model_dump_json())
    return folder


def measure_finally(arm, forced):
    folder = leave(arm, arm.final, "run_9", forced)
    recipe = folder.parent.with_suffix(".yaml")
    shutil.copyfile(recipe, folder.parent / MEASURED)
    return recipe


def test_the_last_finished_run_of_each_arm_counts(settings):
    config, by_name = arms(settings)
    for (name, seed), arm in by_name.items():
        leave(arm, arm.config, "run_1", 0.1, iteration=50)
        if (name, seed) != ("shuffled rewards", 5):
            leave(arm, arm.config, "run_2", 0.8 if name == "self-play" else 0.5)
    leave_run(by_name["self-play", 3].config.runs_folder, "run_7", 0.9, model="of_other_settings")
    leave_run(by_name["self-play", 5].config.runs_folder, "run_8", 0.9, model="")  # an earlier version's
    runs, missing = ablation_runs(config)
    assert list(runs) == ["self-play", "shuffled rewards"]
    assert [list(by_seed) for by_seed in runs.values()] == [[3, 5], [3]]
    assert sum(runs["self-play"][3].units("decision/forced", "policy")) == 32  # 0.8 of 40 pairs
    assert sum(runs["self-play"][5].units("decision/forced", "policy")) == 32
    assert missing == ["shuffled rewards, seed 5: iteration 50 of 100"]


def test_an_ablation_without_a_finished_reference_has_no_results(settings):
    config, by_name = arms(settings)
    arm = by_name["shuffled rewards", 3]
    for iteration in (50, 100):  # whichever arms are unfinished, too
        leave(arm, arm.config, f"run_{iteration}", 0.5, iteration)
        with pytest.raises(EvaluationError, match="no finished run of 'self-play': self-play, seed 3: not begun"):
            ablation_runs(config)


def test_the_last_measurement_is_shown_where_there_is_one(settings):
    config, by_name = arms({**settings, "final": {"evaluation": {"pairs": 40}}})
    for seed in config.seeds:
        arm = by_name["self-play", seed]
        leave(arm, arm.config, "run_1", 0.5)
    measure_finally(by_name["self-play", 3], 0.9)
    runs, missing = ablation_runs(config)
    assert {seed: sum(run.units("decision/forced", "policy")) for seed, run in runs["self-play"].items()} == {3: 36}
    assert "self-play, seed 5: trained, but without its final evaluation" in missing
    recipe = measure_finally(by_name["self-play", 5], 0.7)
    assert list(ablation_runs(config)[0]["self-play"]) == [3, 5]
    recipe.write_text(recipe.read_text().replace("pairs: 40", "pairs: 48"))
    assert "self-play, seed 5: trained, but without its final evaluation" in ablation_runs(config)[1]
    shutil.copyfile(recipe, recipe.with_suffix("") / MEASURED)
    with pytest.raises(EvaluationError, match="measured under different settings: run the ablation again"):
        ablation_runs(config)


def test_the_command_makes_the_file_from_an_ablation_and_from_folders_of_runs(settings, tmp_path):
    _, by_name = arms(settings)
    for (name, _), arm in by_name.items():
        leave(arm, arm.config, "run_1", 0.8 if name == "self-play" else 0.5)
    leave_run(tmp_path / "elsewhere", "run_1", 0.2, iteration=50)
    leave_run(tmp_path / "elsewhere", "run_2", 0.6)
    ablation = tmp_path / "ablation.yaml"
    ablation.write_text(yaml.safe_dump({"parameters": {"config": settings}}))
    file = tmp_path / "learning.json"
    more = ["--run", f"taught:3={tmp_path / 'elsewhere'}"]
    done = CliRunner().invoke(cli, ["results", str(file), "--ablation", str(ablation), *more])
    assert done.exit_code == 0, done.output
    found = Results.read(file)
    assert (found.arm, found.seeds, list(found.arms)) == ("self-play", (3, 5), ["shuffled rewards", "taught"])
    assert found.measures["forced choice"].policy == (80.0, 80.0)
    assert found.measures["shuffled control"].policy == (50.0, 50.0)
    assert found.arms["taught"].measures["forced choice"].policy == (60.0,)
    rows = [line.split(" | ")[0] for line in done.output.splitlines() if line.startswith("| ")]
    assert rows[-3:] == ["| self-play", "| shuffled rewards", "| taught (seeds 3)"]
    ablation.write_text(yaml.safe_dump({"parameters": {"config": {**settings, "confidence": 0.6}}}))
    done = CliRunner().invoke(cli, ["results", str(file), "--ablation", str(ablation)])
    assert "their 60 % intervals" in done.output
    (mean, wide, _), (same, narrow, _) = (one.measures["forced choice"].difference for one in (found, Results.read(file)))
    assert mean == same
    assert wide < narrow


def test_arms_that_ran_elsewhere_count_by_their_records(settings, tmp_path):
    """Two machines share the arms of a study: one trains a seed, the other the next."""
    records = tmp_path / "records"
    here, elsewhere = ({**settings, "runs_folder": str(tmp_path / name)} for name in ("here", "elsewhere"))
    config, by_name = arms(elsewhere)
    for name in ("self-play", "shuffled rewards"):
        arm = by_name[name, 3]
        leave(arm, arm.config, "run_1", 0.8 if name == "self-play" else 0.5)
    there, _ = ablation_runs(config, records)
    assert sorted(path.name for path in records.iterdir()) == ["self_play_3.json", "shuffled_rewards_3.json"]
    config, by_name = arms(here)
    arm = by_name["self-play", 5]
    leave(arm, arm.config, "run_1", 0.9)
    runs, missing = ablation_runs(config, records)
    assert {arm: list(by_seed) for arm, by_seed in runs.items()} == {"self-play": [3, 5], "shuffled rewards": [3]}
    assert missing == ["shuffled rewards, seed 5: not begun"]
    assert runs["self-play"][3].units("decision/forced", "policy") == there["self-play"][3].units("decision/forced", "policy")
    assert (records / "self_play_5.json").is_file()
    file = records / "self_play_3.json"
    file.write_text(file.read_text().replace(r"\"pairs\": 8", r"\"pairs\": 9"))
    with pytest.raises(EvaluationError, match="measured under different settings"):
        ablation_runs(config, records)


def test_settings_that_one_version_did_not_have_are_no_difference(settings, tmp_path):
    config, by_name = arms(settings)
    for seed in config.seeds:
        arm = by_name["self-play", seed]
        leave(arm, arm.config, "run_1", 0.8)
    ablation_runs(config, tmp_path / "records")
    record = tmp_path / "records" / "self_play_5.json"
    shutil.rmtree(by_name["self-play", 5].config.runs_folder)
    record.write_text(record.read_text().replace(r"\"samples\": 0, ", ""))
    assert '"samples"' not in RunRecord.read(record).measurement
    assert list(ablation_runs(config, tmp_path / "records")[0]["self-play"]) == [3, 5]
    RunRecord.read(record).model_copy(update={"measurement": ""}).write(record, {"decision/forced"})
    assert list(ablation_runs(config, tmp_path / "records")[0]["self-play"]) == [3, 5], "a record without any"


@pytest.mark.parametrize("earlier", ["benchmarks", "suites"])
def test_runs_of_an_earlier_version_are_measured_like_those_of_this_one(settings, earlier):
    """Their recipes have the suites under another name."""
    config, by_name = arms(settings)
    for arm in by_name.values():
        leave(arm, arm.config, "run_1", 0.5)
    path = Path(by_name["self-play", 3].config.runs_folder).with_suffix(".yaml")
    recipe = yaml.safe_load(path.read_text())
    settings_there = recipe["parameters"]["config"]
    settings_there[earlier] = settings_there.pop("suite_evaluation")
    path.write_text(yaml.safe_dump(recipe))
    runs, missing = ablation_runs(config)
    assert (list(runs["self-play"]), missing) == ([3, 5], [])
    settings_there[earlier]["limit"] = 7
    path.write_text(yaml.safe_dump(recipe))
    with pytest.raises(EvaluationError, match="measured under different settings"):
        ablation_runs(config)


@pytest.mark.parametrize("name", ["benchmarks", "suites"])
def test_a_final_evaluation_of_an_earlier_version_is_not_done_again(settings, name):
    """What was measured is written under another name; the recipe beside it may be of this version."""
    config, by_name = arms({**settings, "final": {"evaluation": {"pairs": 40}}})
    arm = by_name["self-play", 3]
    leave(arm, arm.config, "run_1", 0.5)
    recipe = measure_finally(arm, 0.9)
    measured = recipe.with_suffix("") / MEASURED
    measured.write_text(recipe.read_text().replace("suite_evaluation:", f"{name}:"))
    assert is_measured(recipe.with_suffix(""))
    assert sum(ablation_runs(config)[0]["self-play"][3].units("decision/forced", "policy")) == 36
    measured.write_text(measured.read_text().replace("limit: null", "limit: 3"))
    assert not is_measured(recipe.with_suffix(""))


@pytest.mark.parametrize("name", ["benchmarks", "suites"])
def test_records_of_an_earlier_version_are_compared_with_those_of_this_one(settings, tmp_path, name):
    """Their suites are under another name, and count all the same."""
    config, by_name = arms(settings)
    for seed in config.seeds:
        arm = by_name["self-play", seed]
        leave(arm, arm.config, "run_1", 0.8)
    ablation_runs(config, tmp_path)
    record = tmp_path / "self_play_5.json"
    shutil.rmtree(by_name["self-play", 5].config.runs_folder)
    earlier = record.read_text().replace(r"\"suite_evaluation\": {", rf"\"{name}\": {{")
    assert earlier != record.read_text()
    record.write_text(earlier)
    assert list(ablation_runs(config, tmp_path)[0]["self-play"]) == [3, 5]
    record.write_text(earlier.replace(r"\"resamples\": 2000, \"sampling", r"\"resamples\": 3000, \"sampling"))
    assert record.read_text() != earlier
    with pytest.raises(EvaluationError, match="measured under different settings"):
        ablation_runs(config, tmp_path)


@pytest.mark.parametrize("end", [".new", ".old"])
def test_what_a_killed_run_left_half_written_is_no_run(tmp_path, end):
    folder = leave_run(tmp_path, "run_1", 0.5)
    left = shutil.copytree(folder, tmp_path / f"run_2{end}")
    assert last_run(tmp_path) == folder
    (left / "state.json").unlink()
    assert last_run(tmp_path) == folder


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(EvaluationError, match="is not the folder of a run, and holds none"):
        last_run(tmp_path)
    folder = leave_run(tmp_path, "run_1", 0.5)
    assert last_run(tmp_path) == last_run(folder) == folder
    assert RunRecord.of(folder, curves=CURVES.values()).iteration == 100
    (folder / IDENTITY).write_text("{")
    assert last_run(tmp_path) == folder
    for text in ("{", "[]", '{"iteration": null}'):
        (folder / "state.json").write_text(text)
        with pytest.raises(EvaluationError, match=r"state\.json cannot be read"):
            last_run(tmp_path)
