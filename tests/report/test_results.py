"""The file of results: made from runs, written and read, and the only source of a document's tables and plots."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from vision_zero.cli.app import cli
from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.errors import EvaluationError, ReportError
from vision_zero.evaluation.estimates import Scores, compare
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.experiments.results import CURVES, RECORDED, Results, collect, partly_measured
from vision_zero.experiments.run_record import RunRecord
from vision_zero.report.results import COLORS, END, PLACE, PLACES, draw_curves, summary, tables, write_into
from vision_zero.training.state import IterationRecord, StageState

CONFIG = EvaluationConfig(resamples=200)
PAIRS = 40
BEGIN, BEGIN_ALL = PLACES


def tables_in(document):
    """The tables in a document, by the line before them."""
    return dict(PLACE.findall(document))


def right(share, of=PAIRS):
    """So many of the pairs right, the first ones."""
    return [float(number < share * of) for number in range(of)]


def scores(iteration, forced, verdicts=0.9):
    pairs = {
        "decision/forced": (right(forced), right(0.5)),
        "decision/forced over the rule": (right(forced), right(0.7)),
        "verdicts/all": (right(verdicts), right(0.8)),
        "beside the reasoned base, verdicts/all": (right(verdicts), right(0.9)),
        "questions/all": ([], []),
    }
    return Scores(iteration=iteration, scores=tuple(compare(name, *both, CONFIG) for name, both in pairs.items()))


def trained(iteration, **metrics):
    """An iteration of votes with these metrics, or of clues."""
    return IterationRecord(
        iteration=iteration,
        stage="decision" if metrics else "clue",
        run="r",
        accuracy=0.5,
        abstention=0.0,
        running_accuracy=0.5,
        running_abstention=0.0,
        metrics={f"vote/{name}": value for name, value in metrics.items()},
    )


def leave_files(folder, forced, iteration=100, measured=()):
    """What a run leaves, as far as results are made of it; ``measured``: scores after those of the end of training."""
    curve = (scores(50, (0.5 + forced) / 2), scores(100, forced), *measured)
    history = (trained(0, words=32.0), trained(1, words=100 * forced), trained(2))
    folder.mkdir(parents=True)
    files = {
        "scores": curve[-1],
        "suites": Scorecard(policy="p", base="b", suites=(), blocked=None),
        "state": StageState(iteration=iteration, measured=curve, history=history),
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(content.model_dump_json())


@cache
def run(forced, measured=()):
    with TemporaryDirectory() as folder:
        leave_files(Path(folder) / "run", forced, measured=measured)
        return RunRecord.of(Path(folder) / "run", curves=CURVES.values())


@pytest.fixture(scope="module")
def found():
    return collect({"alternating": {0: run(0.8), 1: run(0.9)}, "shuffled": {0: run(0.5), 1: run(0.5)}})


def test_measures_by_hand(found):
    over_rule = found.measures["forced choice over rule"]
    assert (over_rule.base, over_rule.rule, over_rule.reasoned) == (50.0, 70.0, None)
    assert over_rule.policy == (80.0, 90.0)
    assert over_rule.difference[0] == 15.0
    assert over_rule.difference[1] < 15 < over_rule.difference[2]
    beside = found.measures["over the base made to reason"]
    assert (beside.reasoned, beside.difference) == (90.0, (0.0, 0.0, 0.0))
    assert found.measures["verdicts"].difference[0] == 10.0
    assert found.measures["shuffled control"].difference == (0.0, 0.0, 0.0)
    assert "scene questions" not in found.measures  # nothing was measured of it
    assert (found.seeds, found.arm, found.iterations, found.pairs) == ((0, 1), "alternating", 100, PAIRS)
    assert [point[:2] for point in found.curves["words of a vote"]] == [(0.0, 32.0), (1.0, 85.0)]
    assert "reasoned votes" not in found.curves  # no iteration recorded them
    assert [point[1] for point in found.curves["forced choice"]] == [50.0, pytest.approx(67.5, abs=2), 85.0]


def test_the_file_is_read_as_it_was_written(found, tmp_path):
    file = tmp_path / "results" / "learning.json"
    found.write(file)
    assert Results.read(file) == found
    data = json.loads(file.read_text())
    assert data["seeds"] == [0, 1]
    assert set(data["measures"]["verdicts"]) == {"base", "rule", "base made to reason", "policy", "difference"}
    assert data["arms"]["shuffled"]["measures"]["forced choice"]["policy"] == [50.0, 50.0]
    for text in ("{", "{}"):
        file.write_text(text)
        with pytest.raises(EvaluationError, match="holds no Results of this version"):
            Results.read(file)
    with pytest.raises(EvaluationError, match="cannot be read"):
        Results.read(tmp_path / "none.json")
    with pytest.raises(EvaluationError, match="cannot be written"):
        found.write(file / "below a file.json")
    with pytest.raises(EvaluationError, match="cannot be written"):
        run(0.8).write(file / "below a file.json", RECORDED)


def test_runs_that_were_not_measured_alike_are_refused():
    fewer = run(0.8).policy | {"decision/forced": (1.0,) * 8}
    other = run(0.8).model_copy(update={"policy": fewer})
    with pytest.raises(EvaluationError, match="not measured on the same held-out pairs; name runs with one evaluation"):
        collect({"alternating": {0: run(0.8), 1: other}})


def test_a_curve_is_of_the_seeds_that_were_measured_on_the_same_pairs_and_the_others_are_named():
    fewer = run(0.8).model_copy(update={"curves": {"decision/forced": dict.fromkeys((0, 50, 100), (1.0,) * 8)}})
    arms = {"alternating": {0: fewer, 1: run(0.8), 2: run(0.8)}}
    assert collect(arms).curves["forced choice"] == collect({"alternating": {1: run(0.8), 2: run(0.8)}}).curves["forced choice"]
    assert partly_measured(arms) == [
        f"{words} of alternating over the iterations: without seed 0, measured otherwise or not at all"
        for words in ("words of a vote", "forced choice")
    ]


def test_curves_of_runs_whose_pairs_changed_in_between_are_refused():
    changed = dict(run(0.8).curves["decision/forced"]) | {50: (1.0,) * 8}
    other = run(0.8).model_copy(
        update={"curves": {"decision/forced": dict(run(0.8).curves["decision/forced"]) | {100: (1.0,) * 8}}}
    )
    one = run(0.8).model_copy(update={"curves": {"decision/forced": changed}})
    with pytest.raises(EvaluationError, match="forced choice after 50 iterations: the runs were not measured on the same"):
        collect({"alternating": {0: one, 1: other}})


def test_seeds_of_an_arm_that_ended_at_different_iterations_are_refused():
    """The tables name one number of iterations."""
    shorter = run(0.8).model_copy(update={"iteration": 50})
    with pytest.raises(EvaluationError, match="the seeds of 'alternating' ended at iterations 50, 100: give runs of one length"):
        collect({"alternating": {0: run(0.8), 1: shorter}})


def test_each_run_is_compared_with_the_base_that_it_was_measured_with():
    """Arms may be run on several machines, where the base of the same weights may reply otherwise now and then."""
    worse = run(0.8).model_copy(update={"base": run(0.8).base | {"decision/forced": tuple(right(0.3))}})
    measure = collect({"alternating": {0: run(0.8), 1: worse}}).measures["forced choice"]
    assert (measure.base, measure.difference[0]) == (40.0, 40.0)


def test_scores_that_only_some_seeds_have_are_named():
    silent = run(0.9).model_copy(update={"policy": run(0.9).policy | {"verdicts/all": ()}})
    arms = {"alternating": {0: run(0.8), 1: silent}, "shuffled": {0: silent, 1: silent}}
    assert partly_measured(arms) == ["verdicts/all of alternating: nothing was measured with seed 1"]
    assert not {"verdicts", "over the base made to reason"} & collect(arms).measures.keys()


def test_a_curve_is_of_the_seeds_whose_records_have_it():
    without = run(0.9).model_copy(update={"curves": {}})
    found = collect({"alternating": {0: without, 1: run(0.8)}, "shuffled": {0: without}})
    assert [point[:2] for point in found.curves["words of a vote"]] == [(0.0, 32.0), (1.0, 80.0)]
    assert found.arms["shuffled"].curves == {}


def test_arms_may_have_other_seeds_and_say_so():
    found = collect({"alternating": {0: run(0.8), 1: run(0.8)}, "shuffled rewards": {1: run(0.5)}})
    assert found.arms["shuffled rewards"].seeds == (1,)
    assert found.measures["shuffled control"].policy == (50.0,)
    assert "| shuffled rewards (seeds 1) | **-20.0** [" in tables(found)
    assert "shuffled rewards" not in summary(found), "which has arms with all seeds only"


def test_the_main_arm_is_compared_with_each_other_one_in_wins_seed_by_seed():
    def won(share, of=PAIRS):
        of_run = run(0.8)
        return of_run.model_copy(
            update={whose: {**getattr(of_run, whose), "wins/both": tuple(right(share, of))} for whose in ("policy", "base")}
        )

    main = {0: won(0.5), 1: won(0.75), 2: won(0.25)}
    found = collect({"alternating": main, "votes alone": {0: won(0.25), 1: won(0.5), 7: won(1.0)}, "clues alone": {5: won(0.5)}})
    mean, low, high = found.arms["votes alone"].main_minus_arm
    assert (mean, low > 0, high < 50) == (25.0, True, True)  # by seeds 0 and 1
    assert found.arms["clues alone"].main_minus_arm is None  # no seed of both
    shown = tables(found)
    assert "| wins: alternating minus the arm |" in shown
    assert f"| **+25.0** [{low:+.1f}, {high:+.1f}] |" in shown
    with pytest.raises(EvaluationError, match="wins: the arms were not measured on the same held-out pairs"):
        collect({"alternating": main, "votes alone": {0: won(0.25, of=8)}})


def test_a_last_measurement_on_other_pairs_is_no_point_of_the_curve():
    curve = (scores(50, 0.7), scores(100, 0.9))
    fewer = {"policy_units": (0.0,) * 8, "base_units": (0.0,) * 8}
    test = Scores(iteration=100, scores=tuple(score.model_copy(update=fewer) for score in curve[-1].scores))
    assert (
        StageState(iteration=100, measured=(*curve, test)).evaluations
        == StageState(iteration=100, measured=curve).evaluations
        == curve
    )
    examined = run(0.9, (test,))
    found = collect({"alternating": {0: examined, 1: examined}})
    assert found.pairs == 8
    assert found.curves["forced choice"][-1][:2] == (100.0, 90.0)


def test_tables_show_them(found):
    shown = tables(found)
    for words in (
        "100 iterations, 40 held-out pairs, seeds 0, 1.",
        "| forced choice over rule | 50.0 % | 70.0 % | – | 80.0 % / 90.0 % |",
        "| over the base made to reason | 80.0 % | – | 90.0 % | 90.0 % / 90.0 % | +0.0 [+0.0, +0.0] |",
        "| difference | forced choice over rule | verdicts | over the base made to reason |",
        "| alternating | +15.0 [",
        "| shuffled | **-20.0** [",
    ):
        assert words in shown, words


def test_a_summary_has_the_means_over_the_seeds_of_the_main_measures(found):
    shown = summary(found)
    for words in (
        "| alternating, mean of 2 seeds | difference |",
        "| forced choice over rule | 50.0 % | 70.0 % | – | 85.0 % | +15.0 [",
        "| shuffled | **-20.0** [",
    ):
        assert words in shown, words
    assert "| forced choice | " in tables(found)
    assert "| forced choice | " not in shown


def test_tables_stand_in_their_places_in_a_document(found, tmp_path):
    document = tmp_path / "README.md"
    document.write_text(f"# Title\n{BEGIN}\nold\n{END}\nbetween\n{BEGIN_ALL}\n{END}\nrest\n")
    write_into(document, found)
    assert tables_in(document.read_text()) == {BEGIN: summary(found), BEGIN_ALL: tables(found)}
    assert document.read_text().startswith(f"# Title\n{BEGIN}\n100 iterations")
    assert f"{END}\nbetween\n{BEGIN_ALL}\n" in document.read_text()
    assert document.read_text().endswith(f"{END}\nrest\n")
    document.write_text("no place")
    with pytest.raises(ReportError, match="has no place for results: put the lines"):
        write_into(document, found)
    with pytest.raises(ReportError, match="cannot be read or written"):
        write_into(tmp_path / "none.md", found)
    document.write_bytes(b"\xff")
    with pytest.raises(ReportError, match="cannot be read or written"):
        write_into(document, found)


def test_a_difference_is_bold_where_it_is_clear_of_nothing(found):
    clear = found.measures["verdicts"].model_copy(update={"difference": (10.0, 2.0, 18.0)})
    assert "| **+10.0** [+2.0, +18.0] |" in tables(found.model_copy(update={"measures": {"verdicts": clear}}))


@pytest.mark.slow
def test_plots_are_the_same_every_time(found, tmp_path):
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    for path in (one, two):
        draw_curves(found, path)
    assert one.read_bytes() == two.read_bytes()
    assert b"<svg" in one.read_bytes()
    assert b"stroke-dasharray" not in one.read_bytes()
    draw_curves(found.model_copy(update={"arms": {f"arm {n}": found.arms["shuffled"] for n in range(len(COLORS))}}), one)
    assert one.read_text().count("stroke-dasharray") == len(found.curves) + 1, (
        "an arm more than colours: its lines and its legend"
    )
    with pytest.raises(ReportError, match="have no training curves"):
        draw_curves(found.model_copy(update={"curves": {}}), one)


@pytest.mark.slow
def test_the_command_makes_all_of_it_from_runs(found, tmp_path):
    options = []
    for arm, seed, forced in (("alternating", 0, 0.8), ("alternating", 1, 0.9), ("shuffled", 0, 0.5), ("shuffled", 1, 0.5)):
        folder = tmp_path / f"{arm}_{seed}"
        leave_files(folder, forced)
        options += ["--run", f"{arm}:{seed}={folder}"]
    file, short, full = (tmp_path / name for name in ("learning.json", "README.md", "learning.md"))
    short.write_text(f"{BEGIN}\n{END}\n")
    full.write_text(f"{BEGIN_ALL}\n{END}\n")
    options += ["--document", str(short), "--document", str(full), "--plot", str(tmp_path / "c.svg")]
    done = CliRunner().invoke(cli, ["results", str(file), *options])
    assert done.exit_code == 0, done.output
    assert Results.read(file) == found
    assert done.output == tables(found) == tables_in(full.read_text())[BEGIN_ALL]
    assert tables_in(short.read_text()) == {BEGIN: summary(found)}
    wrong = CliRunner().invoke(cli, ["results", str(file), "--run", "alternating=runs"])
    assert wrong.exit_code == 2
    assert "is not ARM:SEED=FOLDER" in wrong.output
    twice = CliRunner().invoke(cli, ["results", str(file), *options[:2], *options[:2]])
    assert (twice.exit_code, "alternating, seed 0 is there already: give another seed" in twice.output) == (2, True)
    assert Results.read(file) == found, "it was not made of one of the two"


def test_a_record_is_read_as_it_was_written(tmp_path):
    made, file = run(0.8), tmp_path / "records" / "self_play_0.json"
    made.write(file, RECORDED)
    assert RunRecord.read(file).policy == {name: units for name, units in made.policy.items() if name in RECORDED}
    assert collect({"self-play": {0: RunRecord.read(file)}}) == collect({"self-play": {0: made}})
    lines = file.read_text().splitlines()
    assert any(line.startswith('  "verdicts/all": [1,1,') for line in lines), "a score a line, for people and diffs"
    made.write(file, {"verdicts/all"})
    assert RunRecord.read(file).policy.keys() == {"verdicts/all"}
    file.write_text("{}")
    with pytest.raises(EvaluationError, match="holds no RunRecord of this version"):
        RunRecord.read(file)
