"""Predictions as VLMEvalKit, lmms-eval, InternVL and we write them: read with the right verdict, or refused with advice."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.benchmarks.make import Scripted, chart_row, choice, problem
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.chartqa import ChartQA
from vision_zero.evaluation.benchmarks.datasets import table_of
from vision_zero.evaluation.benchmarks.exporters import export_lmms_eval, export_vlmevalkit
from vision_zero.evaluation.benchmarks.mathvista import MathVista
from vision_zero.evaluation.benchmarks.records import write_jsonl
from vision_zero.evaluation.benchmarks.runner import run_suite
from vision_zero.evaluation.benchmarks.score_files import Scored, score_chartqa, score_mathvista, write_scored

QUERY = "Hint: Please answer the question.\nQuestion: What happens?\nChoices:\n(A) decrease\n(B) increase"
VLMEVALKIT = [
    {"index": 5, "question": QUERY, "answer": "increase", "answer_option": "B", "choices": "['decrease', 'increase']",
     "question_type": "multi_choice", "answer_type": "text", "task": "math word problem", "skills": "['arithmetic reasoning']",
     "prediction": "The answer is B because it grows."},
    {"index": 9, "question": "Hint: …\nQuestion: How long is it?", "answer": "1.45", "answer_option": "", "choices": "",
     "question_type": "free_form", "answer_type": "float", "task": "math word problem", "skills": "['arithmetic reasoning']",
     "prediction": "It is 1.4512 m."},
]  # fmt: skip
CHARTS = [
    {"index": 0, "question": "How many?", "answer": "14", "split": "test_human", "prediction": "14.5"},
    {"index": 1, "question": "Which?", "answer": "['Yes', 'No']", "split": "test_augmented", "prediction": "no"},
]
LMMS_RESULT = {
    "question_id": "12",
    "query": QUERY,
    "choices": ["decrease", "increase"],
    "answer": "increase",
    "extraction": "A",
    "prediction": "decrease",
    "true_false": False,
    "question_type": "multi_choice",
    "answer_type": "text",
    "precision": None,
    "metadata": {"task": "math word problem", "split": "testmini"},
}
LMMS_MATH = {
    "doc_id": 0,
    "target": "increase",
    "resps": [["(A) decrease"]],
    "filtered_resps": ["(A) decrease"],
    "gpt_eval_score": LMMS_RESULT,
}
LMMS_CHART = [
    {
        "doc_id": 0,
        "target": "14",
        "resps": [["14"]],
        "filtered_resps": ["14"],
        "relaxed_overall": 1.0,
        "relaxed_human_split": 1.0,
    },
    {"doc_id": 1, "doc": {"type": "augmented_test", "question": "?", "answer": "Yes"}, "target": "Yes", "resps": [["No"]]},
]


def write(path: Path, rows: Any) -> Path:
    if path.suffix in (".tsv", ".csv"):
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",", quoting=csv.QUOTE_ALL)
            table.writeheader()
            table.writerows(rows)
    elif path.suffix == ".xlsx":
        book = pytest.importorskip("openpyxl").Workbook()
        for row in (list(rows[0]), *(list(row.values()) for row in rows)):
            book.active.append(row)
        book.save(path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)) if path.suffix == ".jsonl" else json.dumps(rows))
    return path


def verdicts(scored: Scored) -> list[bool | None]:
    return [record.is_right for record in scored.records]


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".json", ".xlsx"])
def test_vlmevalkit_tables(tmp_path: Path, suffix: str) -> None:
    math = score_mathvista(write(tmp_path / f"m_MathVista_MINI{suffix}", VLMEVALKIT), None)
    assert verdicts(math) == [True, True]
    assert [(record.key, record.extraction, record.prediction) for record in math.records] == [
        ("5", "B", "increase"),
        ("9", "1.4512", "1.45"),
    ]
    charts = score_chartqa(write(tmp_path / f"m_ChartQA_TEST{suffix}", CHARTS))
    assert verdicts(charts) == [True, True]
    assert [record.groups["origin"] for record in charts.records] == [("human",), ("augmented",)]


COLUMNS = {name: [row[name] for row in CHARTS] for name in CHARTS[0]}
FORMS = {
    "lines.json": "\n".join(map(json.dumps, CHARTS)),
    "list.jsonl": json.dumps(CHARTS, indent=1),
    "columns.json": json.dumps(COLUMNS),
    "split.json": json.dumps({"columns": list(COLUMNS), "index": [0, 1], "data": [list(row.values()) for row in CHARTS]}),
    "table.json": json.dumps({"schema": {}, "data": CHARTS}),
    "named.json": json.dumps({"model": "m", "predictions": CHARTS}),
    "logs.json": json.dumps({"args": {}, "logs": CHARTS}),
    "semicolons.csv": "index;question;answer;split;prediction\n0;?;14;test_human;14.5\n1;?;no;test_augmented;No\n\n",
    "tabs.csv": "index\tquestion\tanswer\tsplit\tprediction\n0\t?, ?, ?\t14\ttest_human\t14.5\n1\t?\tno\ttest_augmented\tNo\n",
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_of_predictions_is_read_as_it_was_saved(name: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FORMS[name].encode(encoding))
    assert verdicts(score_chartqa(tmp_path / name)) == [True, True]


@pytest.mark.parametrize("name", FORMS)
def test_a_compressed_file_is_read_as_what_is_in_it(name: str, tmp_path: Path) -> None:
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(FORMS[name].encode()))
    scored = score_chartqa(packed)
    assert verdicts(scored) == [True, True]
    written = write_scored(scored, packed, tmp_path / "out")[0]
    assert written.name == f"{Path(name).stem}.{'json' if name.endswith('.json') else 'jsonl'}"
    packed.write_bytes(packed.read_bytes()[:40])
    with pytest.raises(EvaluationError, match="cannot be read as text"):
        score_chartqa(packed)


def test_choices_that_a_table_wrote_as_text_are_a_list(tmp_path: Path) -> None:
    row = {**choice("1", ["red", "None"], "None"), "choices": "['red', 'None']", "response": "B"}
    row = {key: value for key, value in row.items() if key not in ("image", "decoded_image")}
    assert verdicts(score_mathvista(write(tmp_path / "m.jsonl", [row]), None)) == [True]


@pytest.mark.parametrize("text", ["[{[1]: 2}]", "[red"])
def test_choices_whose_text_is_no_list_are_an_error(text: str, tmp_path: Path) -> None:
    row = {**choice("1", ["red", "None"], "None"), "choices": text, "response": "B"}
    row = {key: value for key, value in row.items() if key not in ("image", "decoded_image")}
    with pytest.raises(EvaluationError, match="problem 1 needs a list of choices"):
        score_mathvista(write(tmp_path / "m.jsonl", [row]), None)


def test_numbers_that_are_not_those_of_the_annotations_are_an_error(tmp_path: Path) -> None:
    annotated = [{"pid": str(pid), "question": asked} for pid, asked in ((8, "What happens?"), (9, "How long is it?"))]
    known = write(tmp_path / "testmini.json", annotated)
    shifted = write(tmp_path / "m.tsv", [{**row, "index": number} for number, row in zip((7, 8), VLMEVALKIT, strict=True)])
    with pytest.raises(EvaluationError, match=r"problem 8 asks 'How long is it\?', in the annotations 'What happens\?'"):
        score_mathvista(shifted, known)
    right = write(tmp_path / "n.tsv", [{**row, "index": number} for number, row in zip((8, 9), VLMEVALKIT, strict=True)])
    assert verdicts(score_mathvista(right, known)) == [True, True]


def test_a_record_without_its_number_is_named(tmp_path: Path) -> None:
    rows = [{"pid": "1", "response": "B"}, {"Index": 2, "Prediction": "B"}]
    with pytest.raises(EvaluationError, match="record 2 has no pid; it has Index, Prediction"):
        score_mathvista(write(tmp_path / "m.jsonl", rows), None)


def test_empty_lines_and_formulas_of_a_sheet(tmp_path: Path) -> None:
    book = pytest.importorskip("openpyxl").Workbook()
    empty = [None] * len(CHARTS[0])
    rows = [empty, list(CHARTS[0]), empty, list(CHARTS[0].values()), [1, "?", "=7+7", "test_human", "=7+7"], empty]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "m.xlsx")
    scored = score_chartqa(tmp_path / "m.xlsx")
    assert verdicts(scored) == [True, True]
    assert scored.records[1].response == "=7+7"


def test_a_row_that_an_open_quotation_mark_would_swallow_is_an_error(tmp_path: Path) -> None:
    head = "index\tquestion\tanswer\tsplit\tprediction\n"
    (tmp_path / "m.tsv").write_text(f'{head}0\t?\t14\ttest_human\t"14\n1\t?\t3\ttest_human\t3\n')
    with pytest.raises(EvaluationError, match=r"not a readable CSV file.*save the table anew"):
        score_chartqa(tmp_path / "m.tsv")


def test_a_row_with_more_cells_than_the_header_is_an_error(tmp_path: Path) -> None:
    head = "index,question,answer,split,prediction\n"
    (tmp_path / "m.csv").write_text(f"{head}0,?,14,test_human,14\n1,?,3,test_human,3, I think\n")
    with pytest.raises(EvaluationError, match=r"m\.csv: row 2 below the header has 6 cells.*save the table anew"):
        score_chartqa(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [({"label": [["14"]], "prediction": "14"}, True), ({"label": "14", "prediction": ["14"]}, True)],
)
def test_what_is_alone_in_a_list_is_read(fields: dict[str, Any], verdict: bool, tmp_path: Path) -> None:
    assert verdicts(score_chartqa(write(tmp_path / "human.json", [{"query": "?", **fields}]))) == [verdict]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"label": [{"text": "14"}], "prediction": "14"}, "has an object for a label: give its text"),
        ({"label": "14", "prediction": {"text": "14"}}, "its prediction is an object: give its text"),
        ({"label": "14", "prediction": ["14", "15"]}, "its prediction is a list of 2: give its text"),
        ({"target": "14", "prediction": "14"}, "it has query, target, prediction: rename target to label"),
        ({"Answer": "14", "Prediction": "14"}, "rename Answer to answer"),
        ({"label": "14", "text": "14"}, "rename text to prediction"),
    ],
)
def test_what_is_named_or_made_otherwise_is_refused_with_advice(fields: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=words):
        score_chartqa(write(tmp_path / "human.json", [{"query": "?", **fields}]))


def test_lmms_eval_samples(tmp_path: Path) -> None:
    math = score_mathvista(write(tmp_path / "samples_mathvista.jsonl", [LMMS_MATH]), None)
    assert (verdicts(math), math.records[0].key, math.agreement) == ([False], "12", (1, 1))
    charts = score_chartqa(write(tmp_path / "samples_chartqa.jsonl", LMMS_CHART))
    assert verdicts(charts) == [True, False]
    assert [record.groups["origin"] for record in charts.records] == [("human",), ("augmented",)]


def test_internvl_lists_have_the_prediction_under_answer(tmp_path: Path) -> None:
    rows = [
        {"question": "How many?", "answer": "14.5", "annotation": "14"},
        {"question": "?", "answer": "Yes", "annotation": ["No"]},
    ]
    charts = score_chartqa(write(tmp_path / "chartqa_test_human_240101.json", rows))
    assert verdicts(charts) == [True, False]
    assert charts.records[0].groups["origin"] == ("human",)
    with pytest.raises(EvaluationError, match=r"Add type \(human or augmented\), or put it into the file's name"):
        score_chartqa(write(tmp_path / "charts.json", rows))
    with pytest.raises(EvaluationError, match="answer is the prediction here: rename it to response, and annotation to answer"):
        score_mathvista(write(tmp_path / "math.json", [{**rows[0], "pid": "1"}]), None)


def test_what_we_export_is_read_again_with_the_same_verdicts(tmp_path: Path) -> None:
    rows = [
        problem("11"),
        choice("12", ["decrease", "increase"], "increase"),
        problem("13", answer_type="float", precision=1, answer="0.6"),
    ]
    replies = ["There are 3 cats.", "The answer is (A).", "It is 0.62."]
    math = run_suite(MathVista(table_of(rows, "problems")), Scripted(replies.__getitem__), tmp_path / "m.jsonl")
    charts = [chart_row("14", 0), chart_row(["Yes", "No"], 1)]
    chart = run_suite(
        ChartQA(table_of(charts, "charts")), Scripted(["The answer is 14.", "no"].__getitem__), tmp_path / "c.jsonl"
    )
    for records, score in ((math, lambda path: score_mathvista(path, None)), (chart, score_chartqa)):
        write_jsonl(records, tmp_path / "records_of_a_run.jsonl")
        tables = export_vlmevalkit(records, tmp_path / "v", "m")[:1]
        samples = export_lmms_eval(records, tmp_path / "l", "m", "s")[:1]
        for path in (tmp_path / "records_of_a_run.jsonl", *tables, *(samples if records is math else [])):
            assert verdicts(score(path)) == [record.is_right for record in records], path
    with pytest.raises(EvaluationError, match="is a record of chartqa: score it with --benchmark chartqa"):
        score_mathvista(tmp_path / "records_of_a_run.jsonl", None)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.parquet", "PAR1", r"is none of .json, .jsonl, .tsv, .csv, .xlsx: save the predictions"),
        ("p.json", '{"results": {"chartqa": {}}, "configs": {}}', r"the scores of lmms-eval: give its file of samples"),
        ("p.xlsx", "no zip", "not a readable Excel file|need openpyxl"),
        ("p.jsonl", '{"prediction": "1", "label": {"text": "1"}, "type": "human"}', "has an object for a label: give its text"),
        (
            "p.jsonl",
            '{"prediction": "1", "labels": "1", "type": "human"}',
            "has no label or answer; it has prediction, labels, type",
        ),
    ],
)
def test_other_files_are_refused_with_advice(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(EvaluationError, match=words) as raised:
        score_chartqa(tmp_path / name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("fields", [{"groups": ["human"]}, {"details": "chart"}, {"answers": 14}, {"groups": {"origin": [None]}}])
def test_a_record_that_was_changed_is_one_line(fields: dict[str, Any], tmp_path: Path) -> None:
    row = {"benchmark": "chartqa", "key": "1", "response": "14", "answers": ["14"], "groups": {"origin": ["human"]}, **fields}
    with pytest.raises(EvaluationError, match="prediction 1 is not as the record of a run was written") as raised:
        score_chartqa(write(tmp_path / "records.jsonl", [row]))
    assert "\n" not in str(raised.value)


def test_excel_without_openpyxl_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    (tmp_path / "p.xlsx").write_bytes(b"PK")
    with pytest.raises(EvaluationError, match=r"pip install 'vision-zero\[xlsx\]', or save the sheet as \.tsv"):
        score_chartqa(tmp_path / "p.xlsx")


@pytest.mark.parametrize("name", ["scores.json", "records.jsonl"])
def test_predictions_may_have_the_name_of_a_result(tmp_path: Path, name: str) -> None:
    rows = [{"prediction": "14", "label": "14", "type": "human"}]
    (tmp_path / "in").mkdir()
    scored = score_chartqa(write(tmp_path / "in" / name, rows))
    files = write_scored(scored, tmp_path / "in" / name, tmp_path / "out")
    assert [file.name for file in files] == [f"predictions_{name}", "scores.json", "records.jsonl", "records.parquet"]
    assert "average" in json.loads((tmp_path / "out" / "scores.json").read_text())
    assert "true_false" in files[0].read_text()
    before = (tmp_path / "in" / name).read_bytes()
    with pytest.raises(EvaluationError, match="give another folder"):
        write_scored(scored, tmp_path / "in" / name, tmp_path / "in")
    assert (tmp_path / "in" / name).read_bytes() == before


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, mark: str) -> None:
    rows = [
        {"prediction": f"a{mark}b", "label": f"a{mark}b", "type": "human"},
        {"prediction": "1", "label": "2", "type": "human"},
    ]
    # Control characters below a space must be escaped in JSON; the others may stand as they are.
    text = "".join(json.dumps(row, ensure_ascii=mark < " ") + "\r\n" for row in rows)
    (tmp_path / "p.jsonl").write_text(text, encoding="utf-8")
    assert verdicts(score_chartqa(tmp_path / "p.jsonl")) == [True, False]


@pytest.mark.parametrize(
    "word",
    "<image> <|image_pad|> <img> <video> <|vision_start|> <|im_end|> <start_of_image> <image_1> </img> <row_1_col_2> "
    "<global-img> <|endoftext|> <end_of_utterance> </s>".split(),
)
def test_a_question_holds_no_place_of_an_image(word: str) -> None:
    item = ChartQA(table_of([chart_row(query=f"What does {word} show at a < b?")], "charts")).item(0)
    text = item.messages()[0]["content"][1]["text"]
    assert text.startswith(f"What does [{word.strip('<|>')}] show at a < b?")
    assert word in item.prompt


@pytest.mark.parametrize("layout", ["records", "columns"])
def test_an_answer_that_pandas_took_for_a_missing_value_is_read_by_its_letter(tmp_path: Path, layout: str) -> None:
    rows = [
        {"index": 0, "question": "Question: Which?\nChoices:\n(A) 1\n(B) None", "answer": None, "prediction": "(B)",
         "question_type": "multi_choice", "answer_type": "text", "choices": "['1', 'None']", "answer_option": "B"},
        {"index": 1, "question": "Question: How many?", "answer": "7", "prediction": "7", "question_type": "free_form",
         "answer_type": "integer", "choices": "[]", "answer_option": None},
    ]  # fmt: skip
    columns = {name: {str(place): row[name] for place, row in enumerate(rows)} for name in rows[0]}
    file = tmp_path / "m_MathVista_MINI.json"
    file.write_text(json.dumps(rows if layout == "records" else columns))
    assert [(record.answers, record.is_right) for record in score_mathvista(file, None).records] == [
        (("None",), True),
        (("7",), True),
    ]
