"""An ablation through ZenML: arms go on where they stopped, finished ones are left alone, and the report keeps their order."""

import threading

import pytest
import yaml

from steps import arm_runs
from vision_zero.config.ablation import AblationConfig
from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.errors import TrainingError
from vision_zero.evaluation.estimates import Estimate, Score, Scores
from vision_zero.recipes.check import read_arms
from vision_zero.training.state import StageState

pytestmark = pytest.mark.zenml

RECIPE = {
    "iterations_per_round": 1,
    "pairs": {"scenes": NANO_SCENES.model_dump()},
    "game": {"prompt": "compact", "remember_reasoning": False, "civilians": 2, "rounds": 1},
    "policy": {"adapter": {"rank": 4, "alpha": 8}, "sampling": {"max_clue_tokens": 6, "max_vote_tokens": 6}},
    "learning": {"iterations": 2, "games_per_iteration": 2, "votes_per_prompt": 2, "switch": {"rule": "never", "start": "clue"}},
    "evaluation": {"pairs": 4, "questions": 4, "resamples": 100},
}


@pytest.fixture
def ablation(tiny_base, tmp_path):
    """Two arms with two seeds, named against the alphabet; the tiny policy plays."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"parameters": {"config": RECIPE}}))
    return AblationConfig.model_validate(
        {
            "name": "test",
            "recipe": str(recipe),
            "changes": {"policy": {"base": str(tiny_base)}},
            "arms": [{"name": "whole"}, {"name": "bad", "changes": {"pairs": {"spoiled": 0.2}}}],
            "reference": "whole",
            "seeds": [4, 2],
            "runs_folder": str(tmp_path / "runs"),
        }
    )


def in_this_process(path):
    """Stands in for the command line, which loads everything anew."""
    from pipelines.self_play import self_play

    result = self_play.with_options(config_path=str(path))()
    return 0 if str(result.status) == "completed" else 1


def test_an_arm_goes_on_from_its_last_finished_run(ablation, monkeypatch):
    launched = []

    def launch(path, threads=None):
        launched.append(path)
        return in_this_process(path) if len(launched) == 1 else 137

    monkeypatch.setattr(arm_runs, "launch", launch)
    arm = read_arms(ablation)[0]
    with pytest.raises(TrainingError, match=r"\[1/4\] whole, seed 4: its run from iteration 1 failed \(exit 137\)"):
        arm_runs.finish(arm)
    assert arm_runs.reached(arm).iteration == 1
    done = arm.model_copy(
        update={"config": arm.config.model_copy(update={"learning": arm.config.learning.model_copy(update={"iterations": 1})})}
    )
    assert arm_runs.finish(done) == arm_runs.reached(arm)
    assert len(launched) == 2
    assert yaml.safe_load(launched[0].read_text())["model"] == {"name": arm.model}
    assert arm_runs.reached(read_arms(ablation)[1]) is None


def reached_after(iteration, share):
    value, units = (
        Estimate(mean=share, low=share, high=share, units=4),
        dict.fromkeys(("policy_units", "base_units"), (share,) * 4),
    )
    score = Score(name="decision/forced", policy=value, base=value, difference=value, judgement="same", **units)
    measured = tuple(Scores(iteration=number, scores=(score,)) for number in range(1, iteration + 1))
    return StageState(iteration=iteration, measured=measured)


def test_a_killed_ablation_runs_only_what_is_left_and_compares_in_order(ablation, monkeypatch, capsys):
    """The runs themselves are played by counters; what is left to run, and what the report gets, is real."""
    from pipelines.ablation import ablation as pipeline

    progress, launched = {}, []

    def launch(path, threads=None):
        model = yaml.safe_load(path.read_text())["model"]["name"]
        launched.append(path.stem)
        if len(launched) == 4:
            return 137
        progress[model] = progress.get(model, 0) + 1
        return 0

    order = [arm.model for arm in read_arms(ablation)]

    def reached(arm):
        return reached_after(progress[arm.model], order.index(arm.model) / 10) if arm.model in progress else None

    monkeypatch.setattr(arm_runs, "launch", launch)
    monkeypatch.setattr(arm_runs, "reached", reached)
    with pytest.raises(Exception, match="bad, seed 4: its run from iteration 1 failed"):
        pipeline.with_options(execution_mode="fail_fast")(config=ablation)
    result = pipeline.with_options(execution_mode="fail_fast")(config=ablation)
    assert launched == ["whole_4"] * 2 + ["bad_4"] * 3 + ["whole_2"] * 2 + ["bad_2"] * 2
    page = result.steps["compare"].outputs["ablation_report"][0].load()
    assert page.index("<td>whole</td>") < page.index("<td>bad</td>")
    printed = capsys.readouterr().out
    assert "[2/4] bad, seed 4: iteration 1 of 2" in printed
    row = next(line for line in printed.splitlines() if line.strip().startswith("bad"))
    assert "20 %" in row  # seeds 4 and 2 ended at 10 % and 30 %
    assert len(result.steps) == 5


def test_a_finished_arm_is_measured_once_more_and_not_twice(ablation, monkeypatch):
    launched, status = [], [1, 0, 0]
    monkeypatch.setattr(arm_runs, "launch", lambda path, threads=None: launched.append(path) or status[len(launched) - 1])
    monkeypatch.setattr(arm_runs, "reached", lambda arm: reached_after(2, 0.5))
    arm = read_arms(ablation.model_copy(update={"final": {"evaluation": {"pairs": 8}}}))[0]
    with pytest.raises(TrainingError, match="whole, seed 4: its final evaluation failed"):
        arm_runs.finish(arm)
    for _ in range(2):
        assert arm_runs.finish(arm).iteration == 2
    assert [path.name for path in launched] == ["whole_4_final.yaml"] * 2
    recipe = yaml.safe_load(launched[0].read_text())
    assert recipe["model"] == {"name": arm.model}
    assert recipe["parameters"]["config"]["evaluation"]["pairs"] == 8
    arm_runs.finish(read_arms(ablation.model_copy(update={"final": {"evaluation": {"pairs": 12}}}))[0])
    assert len(launched) == 3


def test_arms_side_by_side_share_the_cores_and_are_trained_once(ablation, monkeypatch):
    """Two at a time: each waits for the other to have begun, so that one after another would never end."""
    from pipelines.ablation import ablation as pipeline

    together, progress, shares = threading.Barrier(2, timeout=600), {}, []

    def launch(path, threads=None):
        together.wait()
        model = yaml.safe_load(path.read_text())["model"]["name"]
        shares.append(threads)
        progress[model] = progress.get(model, 0) + 1
        return 0

    monkeypatch.setattr(arm_runs, "launch", launch)
    monkeypatch.setattr(
        arm_runs, "reached", lambda arm: reached_after(progress[arm.model], 0.5) if arm.model in progress else None
    )
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    result = pipeline.with_options(execution_mode="fail_fast")(config=ablation.model_copy(update={"side_by_side": 2}))
    assert str(result.status) == "completed"
    assert [*progress.values()] == [2, 2, 2, 2]
    assert set(shares) == {4}


def test_an_arm_begins_where_another_one_has_ended(ablation, monkeypatch):
    """One long arm beside three short ones: they do not wait for it."""
    runs, ended = read_arms(ablation), threading.Semaphore(0)

    def finish(arm, threads):
        if arm is not runs[0]:
            ended.release()
        elif not all(ended.acquire(timeout=600) for _ in runs[1:]):
            raise TrainingError("the others never began")
        return arm.title

    monkeypatch.setattr(arm_runs, "finish", finish)
    assert arm_runs.finish_all(runs, 2) == runs[0].title


def test_no_arm_begins_after_one_has_failed(ablation, monkeypatch):
    runs, begun, together = read_arms(ablation), [], threading.Barrier(2, timeout=600)

    def finish(arm, threads):
        begun.append(arm)
        together.wait()
        raise TrainingError(f"{arm.title}: its run failed")

    monkeypatch.setattr(arm_runs, "finish", finish)
    with pytest.raises(TrainingError, match="its run failed"):
        arm_runs.finish_all(runs, 2)
    assert sorted(arm.number for arm in begun) == [1, 2]


def test_the_output_of_an_arm_beside_others_goes_into_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(arm_runs.sys, "executable", str(tmp_path / "python"))
    command = tmp_path / "zenml"
    command.write_text('#!/bin/sh\necho "threads: $OMP_NUM_THREADS"; exit 3')
    command.chmod(0o755)
    assert arm_runs.launch(tmp_path / "whole_4.yaml", 1) == 3
    assert (tmp_path / "whole_4.log").read_text() == "threads: 1\n"
