"""Exports: what VLMEvalKit and lmms-eval would read, from the records of a run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.evaluation.benchmarks.make import Scripted, cats, chart_row, choice, problem
from vision_zero.config.suites import SuiteConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.chartqa import ChartQA
from vision_zero.evaluation.benchmarks.datasets import table_of
from vision_zero.evaluation.benchmarks.exporters import export_lmms_eval, export_vlmevalkit
from vision_zero.evaluation.benchmarks.mathvista import MathVista
from vision_zero.evaluation.benchmarks.runner import run_suite
from vision_zero.evaluation.suite import Record
from vision_zero.evaluation.suites.scenes import open_suite


def chart_records(folder: Path) -> list[Record]:
    table = table_of([chart_row("14", 0), chart_row("14", 1), chart_row("a\tb", 1)], "charts")
    return run_suite(ChartQA(table), Scripted(["14.5", "20", 'a\tb\n"c"'].__getitem__), folder / "c.jsonl")


def math_records(folder: Path) -> list[Record]:
    table = table_of([problem("11"), choice("12", ["decrease", "increase"], "increase")], "problems")
    return run_suite(MathVista(table), Scripted(["It is 4.", "The answer is (B)."].__getitem__), folder / "m.jsonl")


def test_chartqa_for_vlmevalkit(tmp_path: Path) -> None:
    predictions, scores = export_vlmevalkit(chart_records(tmp_path), tmp_path, "org/model-3B")
    assert predictions == tmp_path / "org__model-3B" / "org__model-3B_ChartQA_TEST.tsv"
    table = pd.read_csv(predictions, sep="\t", dtype=str)
    assert list(table["index"]) == ["0", "1", "2"]
    assert list(table["split"]) == ["test_human", "test_augmented", "test_augmented"]
    assert list(table["prediction"]) == ["14.5", "20", 'a\tb\n"c"']
    assert list(table["answer"]) == ["14", "14", "a\tb"]
    assert scores.name == "org__model-3B_ChartQA_TEST_acc.csv"
    row = pd.read_csv(scores).iloc[0]
    assert (row["test_human"], row["test_augmented"], round(row["Overall"], 1)) == (100.0, 0.0, 33.3)


def test_mathvista_for_vlmevalkit(tmp_path: Path) -> None:
    predictions, scores = export_vlmevalkit(math_records(tmp_path), tmp_path, "m")
    rows = pd.read_csv(predictions, sep="\t", dtype=str, keep_default_na=False).to_dict("records")
    assert predictions.name == "m_MathVista_MINI.tsv"
    assert (rows[1]["choices"], rows[1]["answer_option"], rows[1]["res"]) == ("['decrease', 'increase']", "B", "B")
    assert (rows[0]["question_type"], rows[0]["answer_type"], rows[0]["skills"]) == (
        "free_form",
        "integer",
        "['arithmetic reasoning']",
    )
    table = pd.read_csv(scores).set_index("Task&Skill")
    assert (table.loc["Overall", "tot"], table.loc["Overall", "hit"], table.loc["Overall", "acc"]) == (2, 1, 50.0)
    assert table.loc["figure question answering", "tot"] == 2


def test_chartqa_for_lmms_eval(tmp_path: Path) -> None:
    samples, results = export_lmms_eval(chart_records(tmp_path), tmp_path, "m", "20250101_120000")
    assert samples == tmp_path / "m" / "20250101_120000_samples_chartqa.jsonl"
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    assert [line["relaxed_overall"] for line in lines] == [1.0, 0.0, 0.0]
    assert lines[0]["relaxed_human_split"] == 1.0
    assert "relaxed_human_split" not in lines[1]
    assert (lines[0]["doc_id"], lines[0]["target"], lines[0]["filtered_resps"]) == (0, "14", ["14.5"])
    assert results.name == "20250101_120000_results.json"
    metrics = json.loads(results.read_text())["results"]["chartqa"]
    assert metrics["relaxed_overall,none"] == pytest.approx(1 / 3)
    assert metrics["relaxed_overall_stderr,none"] == pytest.approx(1 / 3)
    assert (metrics["relaxed_human_split,none"], metrics["relaxed_augmented_split,none"]) == (1.0, 0.0)


def test_mathvista_for_lmms_eval(tmp_path: Path) -> None:
    samples, results = export_lmms_eval(math_records(tmp_path), tmp_path, "m", "s")
    assert samples.name == "s_samples_mathvista_testmini_solution.jsonl"
    line = json.loads(samples.read_text().splitlines()[1])
    assert {key: value for key, value in line["submission"].items() if key not in ("metadata", "query")} == {
        "question_id": "12",
        "choices": ["decrease", "increase"],
        "extraction": "B",
        "prediction": "increase",
        "true_false": True,
        "answer": "increase",
        "question_type": "multi_choice",
        "answer_type": "text",
        "precision": None,
    }
    assert json.loads(results.read_text())["results"]["mathvista_testmini_solution"]["llm_as_judge_eval,none"] == 50.0


def test_exports_are_of_one_benchmark(tmp_path: Path) -> None:
    mixed = chart_records(tmp_path) + math_records(tmp_path)
    for records, words in ((mixed, "these are of chartqa, mathvista"), ([], "these are of none")):
        with pytest.raises(EvaluationError, match=words):
            export_vlmevalkit(records, tmp_path, "m")
        with pytest.raises(EvaluationError, match=words):
            export_lmms_eval(records, tmp_path, "m", "s")


def test_names_stay_inside_the_folder(tmp_path: Path) -> None:
    records = run_suite(cats(1), Scripted(), tmp_path / "r.jsonl")
    for file in export_lmms_eval(records, tmp_path / "out", "../../etc", "../x"):
        assert file.resolve().is_relative_to(tmp_path / "out")


def test_suites_that_neither_project_knows(tmp_path: Path) -> None:
    suite = open_suite(SuiteConfig(name="scenes", look="compact", items=5))
    records = run_suite(suite, Scripted(lambda number: "yes" if number else "no"), tmp_path / "r.jsonl")
    right = sum(bool(record.is_right) for record in records)
    predictions, scores = export_vlmevalkit(records, tmp_path / "v", "m")
    assert predictions.name == "m_scenes-compact.tsv"
    rows = list(csv.DictReader(predictions.open(), delimiter="\t"))
    assert [int(row["hit"]) for row in rows] == [int(bool(record.is_right)) for record in records]
    assert float(next(csv.DictReader(scores.open()))["Overall"]) == 20 * right
    samples, results = export_lmms_eval(records, tmp_path / "l", "m", "s")
    assert len(samples.read_text().splitlines()) == 5
    assert json.loads(results.read_text())["results"]["scenes-compact"]["exact_match,none"] == right / 5
