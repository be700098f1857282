"""The whole pipeline through ZenML on a tiny model: a first run, a second that resumes it, and runs that go wrong."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.make import write_tiny_recipe
from vision_zero.report.run_folder import RunTimes

pytestmark = pytest.mark.zenml

ROOT = Path(__file__).resolve().parents[2]
MODEL = "vision_zero_test"
SUITES = {"suites": [{"name": "scenes", "look": "compact", "items": 3}], "sampling": {"max_tokens": 4}, "resamples": 100}


@pytest.fixture(scope="module")
def recipe(tiny_base, tmp_path_factory):
    """Writes a tiny configuration with changes, and returns its path."""
    folder = tmp_path_factory.mktemp("pipeline")

    def write(name="tiny", model=MODEL, **changes):
        return write_tiny_recipe(folder / f"{name}.yaml", tiny_base, model, {"suite_evaluation": SUITES, **changes})

    return write


def run(file):
    from pipelines.self_play import self_play

    return self_play.with_options(config_path=str(file))()


def output(result, step, name):
    """An output of a step, loaded."""
    return result.steps[step].outputs[name][0].load()


@pytest.fixture(scope="module")
def two_runs(recipe):
    file = recipe()
    return run(file), run(file)


def test_the_graph_reads_like_the_design(two_runs):
    first, second = two_runs
    assert [*first.steps] == [*second.steps]
    assert set(first.steps) == {
        "resume",
        "take_fingerprints",
        "render_scenes",
        "validate_pairs",
        "measure_base",
        "clue_stage_1",
        "decision_stage_1",
        "evaluate_1",
        "switch_stage_1",
        "watch_1",
        "ask_suites",
        "judge",
        "report",
        "promote",
    }
    assert {str(result.status) for result in two_runs} == {"completed"}


def test_the_second_run_resumes_the_first(two_runs):
    first, second = two_runs
    before, after = output(first, "switch_stage_1", "stage_state"), output(second, "switch_stage_1", "stage_state")
    assert (output(first, "resume", "resumed_state").iteration, before.iteration, after.iteration) == (0, 2, 4)
    assert after.history[: len(before.history)] == before.history
    assert [record.run for record in after.history] == [first.name] * 2 + [second.name] * 2
    assert [scores.iteration for scores in after.measured] == [2, 4]
    assert (output(first, "promote", "promoted_version"), output(second, "promote", "promoted_version")) == (1, 2)
    assert (output(first, "resume", "resumed_version"), output(second, "resume", "resumed_version")) == (0, 1)


def test_a_resumed_run_shows_whom_it_continues(two_runs):
    first, second = two_runs
    loaded = {version.id for versions in second.steps["resume"].inputs.values() for version in versions}
    assert first.steps["decision_stage_1"].outputs["trained_policy"][0].id in loaded
    assert first.steps["switch_stage_1"].outputs["stage_state"][0].id in loaded
    assert not first.steps["resume"].inputs


def test_training_pairs_are_fresh_in_every_run_and_held_out_ones_are_the_same(two_runs):
    train, held_out = ([output(result, "validate_pairs", name) for result in two_runs] for name in ("pairs", "held_out"))
    assert not set(train[0].ids) & set(train[1].ids)
    assert held_out[0].ids == held_out[1].ids
    assert {table.rows["split"][0].as_py() for table in (*train, *held_out)} == {"train", "held_out"}


def test_each_run_is_judged_beside_production_on_pairs_of_its_own(two_runs):
    tables = [output(result, "validate_pairs", "promotion_pairs") for result in two_runs]
    assert [len(table) for table in tables] == [4, 4]
    assert not set(tables[0].ids) & set(tables[1].ids)
    judged = [output(result, "judge", "promotion") for result in two_runs]
    assert [(found.rival, found.judged, found.pairs) for found in judged] == [("the frozen base", 0, 4), ("version 1", 1, 4)]
    assert [score.name for score in judged[1].scores][:2] == ["right votes", "wins against production"]
    assert [output(result, "resume", "resumed_state").judged for result in two_runs] == [0, 1]


def test_the_base_is_measured_once(two_runs):
    first, second = two_runs
    assert str(second.steps["measure_base"].status) == "cached"
    assert first.steps["measure_base"].outputs["base_measures"] == second.steps["measure_base"].outputs["base_measures"]
    for result in two_runs:
        measures, scores = output(result, "measure_base", "base_measures"), output(result, "evaluate_1", "scores")
        assert {score.name: score.base.mean for score in scores.scores if score.name in measures.values} == pytest.approx(
            {name: sum(values) / len(values) if values else 0.0 for name, values in measures.values.items()}
        )


def test_both_stages_trained(two_runs):
    state = output(two_runs[1], "switch_stage_1", "stage_state")
    assert {record.stage for record in state.history} == {"clue", "decision"}


def test_artifacts_hold_nothing_executable(two_runs):
    from zenml.client import Client

    store = Path(Client().active_stack.artifact_store.path)
    names = [path.name for path in store.rglob("*") if path.is_file()]
    assert any(name == "adapter_model.safetensors" for name in names)
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".bin", ".pt", ".pth"))]


def test_each_artifact_has_a_preview_without_scripts(two_runs):
    result = two_runs[1]
    for step, name, words in (
        ("validate_pairs", "pairs", "data:image/png"),
        ("validate_pairs", "verdict", "pairs passed"),
        ("decision_stage_1", "vote_games", "is the spy"),
        ("measure_base", "base_measures", "The frozen base"),
        ("measure_base", "base_games", "is the spy"),
        ("evaluate_1", "scores", "frozen base"),
        ("switch_stage_1", "stage_state", "Training curves"),
        ("watch_1", "alarms", "negative transfer"),
        ("report", "report", "Self-play report"),
    ):
        artifact = result.steps[step].outputs[name][0]
        assert artifact.visualizations, f"{name} has no preview"
        text = Path(artifact.visualizations[0].uri).read_text()
        assert words in text, (name, words)
        assert "<script" not in text
    card = result.steps["decision_stage_1"].outputs["trained_policy"][0].visualizations[0].uri
    assert "trained for 4 of 8 iterations" in Path(card).read_text().replace("\n", " ")


def test_plain_files_of_the_run(two_runs, recipe):
    runs = Path(yaml.safe_load(recipe().read_text())["parameters"]["config"]["runs_folder"])
    for result in two_runs:
        names = {path.name for path in (runs / result.name).iterdir()}
        assert {
            "report.html",
            "replay.html",
            "metrics.jsonl",
            "transcripts.parquet",
            "scores.json",
            "alarms.json",
            "state.json",
            "policy",
        } <= names
        times = RunTimes.model_validate_json((runs / result.name / "times.json").read_text())
        names = [step.name for step in times.steps]
        assert names[0] == "resume"
        assert {"clue_stage_1", "decision_stage_1", "evaluate_1", "watch_1"} <= set(names)
        assert ("measure_base" in names) == (result.steps["measure_base"].status == "completed")
        assert 0 < times.overhead < 1


def test_a_run_that_was_overtaken_is_not_promoted(two_runs, recipe, monkeypatch):
    """Compare and set: the version in production is no longer the one that this run began from."""
    from steps import model_registry

    real = model_registry.production_version
    calls = []

    def overtaken():
        calls.append(1)
        version = real()
        if len(calls) > 1:  # asked again by promote
            return version.model_copy(update={"body": version.body.model_copy(update={"number": version.number + 5})})
        return version

    monkeypatch.setattr(model_registry, "production_version", overtaken)
    before = production()
    with pytest.raises(Exception, match="another run was promoted meanwhile"):
        run(recipe())
    assert production() == before


def production():
    from zenml.client import Client

    return Client().get_model_version(MODEL, "production").number


def test_a_failed_run_leaves_production_alone(two_runs, recipe, monkeypatch):
    from vision_zero.training.loop import StageLoop

    def broken(self):
        raise RuntimeError("the machine went away")

    monkeypatch.setattr(StageLoop, "run", broken)
    before = production()
    with pytest.raises(Exception, match="the machine went away"):
        run(recipe())
    assert production() == before


def test_a_run_that_lost_what_the_base_could_do_is_not_promoted(two_runs, recipe, monkeypatch):
    from vision_zero.training import diagnostics

    lost = diagnostics.Alarm(name="negative transfer", is_raised=True, sentence="it forgot to count", blocks_promotion=True)
    monkeypatch.setattr(diagnostics, "negative_transfer", lambda *_: lost)
    before, folders = production(), run_folders(recipe)
    with pytest.raises(Exception, match="not promoted because of negative transfer: it forgot to count; version 2 stays in"):
        run(recipe())
    assert production() == before
    (blocked,) = run_folders(recipe) - folders
    assert "This version is not promoted: negative transfer: it forgot to count" in (blocked / "report.html").read_text()
    assert "it forgot to count" in (blocked / "alarms.json").read_text()


def test_the_suites_are_asked_beside_the_base_which_answers_once(two_runs, recipe):
    cards = [output(result, "ask_suites", "suites") for result in two_runs]
    assert cards[0].base == cards[1].base
    assert len({cards[0].policy, cards[1].policy, cards[0].base}) == 3
    assert [suite.comparison.difference.units for card in cards for suite in card.suites] == [3, 3]
    (folder,) = (runs_folder(recipe) / "suites").iterdir()
    answers = sorted(path.stem for path in (folder / "scenes-compact").glob("*.jsonl"))
    assert len(answers) >= 3
    assert sum("+" not in name for name in answers) == 1


def test_a_run_that_the_gate_of_the_suites_refuses_is_not_promoted(two_runs, recipe):
    before, folders, refused = production(), run_folders(recipe), refusals()
    said = "scenes-compact was measured on 3 items, fewer than the 4 that the gate asks for"
    with pytest.raises(Exception, match=f"not promoted because of the suites: {said}; version 2 stays in"):
        run(recipe("gated", suite_evaluation=SUITES | {"gate": {"least_items": 4, "largest_loss": 1.0}}))
    assert production() == before
    (blocked,) = run_folders(recipe) - folders
    assert f"This version is not promoted: {said}" in (blocked / "report.html").read_text()
    assert refusals() == refused + 1
    begun = output(last_run(), "resume", "resumed_state")
    assert begun.refusals == refused, "the next one draws otherwise than this one"
    assert begun.judged == 2 + refused, "and is judged on other pairs than any before it"
    assert [one.version for one in begun.refused] == sorted(one.version for one in begun.refused)
    assert all(one.reason.startswith("negative transfer: it forgot to count") for one in begun.refused)


def refusals():
    """Versions of the model that were refused."""
    from zenml.client import Client

    versions = Client().list_model_versions(MODEL, size=50, hydrate=True)
    return sum("refused" in version.run_metadata for version in versions)


def last_run():
    from zenml.client import Client

    return Client().list_pipeline_runs(sort_by="desc:created", size=1, hydrate=True).items[0]


def run_folders(recipe):
    return set(runs_folder(recipe).iterdir())


def runs_folder(recipe):
    return Path(yaml.safe_load(recipe().read_text())["parameters"]["config"]["runs_folder"])


def test_too_many_bad_pairs_stop_the_run_before_training(recipe):
    file = recipe("strict", model="vision_zero_strict", pairs__quality={"min_changed_area": 0.4})
    with pytest.raises(Exception, match=r"failed validation, more than the 10% allowed"):
        run(file)


@pytest.mark.cli
def test_a_second_run_while_one_runs_says_so(two_runs, recipe, preloaded):
    """The lock is held by this process since its first run; another process must not start."""
    done = subprocess.run(
        [str(preloaded / "zenml"), "pipeline", "run", "pipelines.self_play.self_play", "-c", str(recipe())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "is still running: wait until it ends" in done.stdout + done.stderr
