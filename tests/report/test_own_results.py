"""The project's own results: what README and docs say of them is made from the files and records in the repository."""

from pathlib import Path

import numpy as np
import pytest

from vision_zero.config.ablation import slug
from vision_zero.config.evaluation import EvaluationConfig
from vision_zero.evaluation.estimates import estimate_over_seeds
from vision_zero.experiments.results import CLUES, MEASURES, Results
from vision_zero.experiments.run_record import MADE_TO_REASON, RunRecord
from vision_zero.randomness import Seed
from vision_zero.report.results import PLACE, PLACES

FILE = Path("docs/results/learning.json")
TWO_IMAGES = Path("docs/results/two_images.json")
SUMMARY, EVERYTHING = PLACES


@pytest.mark.parametrize(
    ("document", "place", "file"),
    [("README.md", SUMMARY, FILE), ("docs/learning.md", EVERYTHING, FILE), ("docs/two_images.md", EVERYTHING, TWO_IMAGES)],
)
def test_the_documents_show_what_the_command_makes_of_the_projects_own_results(document, place, file):
    assert dict(PLACE.findall(Path(document).read_text(encoding="utf-8"))) == {place: PLACES[place](Results.read(file))}


def records_of(file: Path, arm: str = "*") -> list[Path]:
    return sorted(file.with_suffix("").glob(f"{arm}_[0-9].json"))


@pytest.mark.parametrize("path", [*records_of(FILE), *records_of(TWO_IMAGES)], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_records_in_the_repository_are_of_the_table(path):
    """A table may have seeds without records, from before there were any; no record may say anything else than the table."""
    arm, _, seed = path.stem.rpartition("_")
    results, record = Results.read(path.parent.with_suffix(".json")), RunRecord.read(path)
    own = results if arm == slug(results.arm) else next(of for name, of in results.arms.items() if arm == slug(name))
    place = own.seeds.index(int(seed))
    known = {name: spec for name, spec in MEASURES.items() if name in own.measures}
    assert len(known) > 15
    for name, spec in known.items():
        units = record.units(spec.score, "policy")
        assert own.measures[name].policy[place] == pytest.approx(100 * sum(units) / len(units), abs=0.0501), name  # rounded


@pytest.mark.parametrize(
    ("row", "arm", "whose"),
    [
        ("base", "100_iterations", "base"),
        ("`clues alone`", "clues_alone", "policy"),
        ("`without rae`", "without_rae", "policy"),
        ("`100 iterations`", "100_iterations", "policy"),
    ],
)
def test_what_the_document_says_of_clues_is_in_the_records(row, arm, whose):
    records = [RunRecord.read(path) for path in records_of(FILE, arm)]
    scores = [[record.units(name, whose) for record in records if record.units(name, whose)] for name in CLUES]
    attributes, true, repeated = (float(np.mean(by_seed)) for by_seed in scores)
    seeds = len(scores[0]) if whose == "policy" else "–"
    line = f"| {row} | {seeds} | {attributes:.2f} | {100 * true:.1f} % | {100 * repeated:.1f} % |"
    assert line in Path("docs/learning.md").read_text(encoding="utf-8")


def test_what_the_document_says_of_longer_training_is_in_the_records():
    page = Path("docs/learning.md").read_text(encoding="utf-8")
    names = ["verdicts", "forced choice", "false counts denied", "false relations denied", "scene questions", "chart questions"]
    for name in (*names, "wins", "wins, votes sampled"):
        before, after = (
            np.array([RunRecord.read(path).units(MEASURES[name].score, "policy") for path in paths])
            for paths in (records_of(FILE, arm) for arm in ("self_play", "100_iterations"))
        )
        difference = estimate_over_seeds(after - before, EvaluationConfig(), Seed(EvaluationConfig().seed).child("results", name))
        shown = [f"{100 * value:+.1f}".replace("-", "−") for value in (difference.mean, difference.low, difference.high)]
        levels = f"{100 * before.mean():.1f} % | {100 * after.mean():.1f} %"
        assert f"| {name} | {levels} | {shown[0]} [{shown[1]}, {shown[2]}] |" in page


@pytest.mark.parametrize("file", [FILE, TWO_IMAGES], ids=lambda path: path.stem)
def test_the_record_of_the_base_made_to_reason_is_of_the_table(file):
    record, shown = RunRecord.read(file.with_suffix("") / MADE_TO_REASON), Results.read(file).measures
    suites = {name: spec.score for name, spec in MEASURES.items() if "/" not in spec.score and name in shown}
    assert len(suites) >= 3
    assert {name: round(100 * float(np.mean(record.units(score, "policy"))), 1) for name, score in suites.items()} == {
        name: shown[name].reasoned for name in suites
    }


def test_what_the_documents_say_of_two_images_is_in_the_results():
    results = Results.read(TWO_IMAGES)
    own, control = (measures["difference captions"] for measures in (results.measures, results.arms["shuffled"].measures))
    mean, low, high = (f"{value:+.1f}" for value in own.difference)
    readme, page = (Path(name).read_text(encoding="utf-8") for name in ("README.md", "docs/two_images.md"))
    told = f"gets {np.mean(own.policy):.1f} % right after self-play instead of {own.base:.1f} % ({mean} [{low}, {high}],"
    assert told in readme
    assert f"the control stays at {np.mean(control.policy):.1f} %" in readme
    assert f"{own.base:.1f} % of the captions" in page
    assert f"{min(own.policy):.1f} to {max(own.policy):.1f} % after it" in page
    assert f"reason reaches {own.reasoned:.1f} %" in page
    mean, low, high = (f"{value:+.1f}".replace("-", "−") for value in control.difference)
    assert f"`shuffled` changes nothing ({mean} [{low}, {high}])" in page


def test_the_readme_counts_how_often_the_test_pairs_were_used():
    used = f"Once for each of the {len(records_of(FILE))} runs in the table"
    assert used in (readme := Path("README.md").read_text(encoding="utf-8"))
    assert f"each of the {len(records_of(TWO_IMAGES))} runs with the second version" in readme
