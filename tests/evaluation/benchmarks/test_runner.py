"""Runs: order, batches, resuming after a kill, and records that belong to another run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.evaluation.benchmarks.make import PNG, Scripted, cats, problem
from vision_zero.data.images import png_bytes
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.datasets import table_of
from vision_zero.evaluation.benchmarks.mathvista import MathVista
from vision_zero.evaluation.benchmarks.records import appending, read_records, write_parquet
from vision_zero.evaluation.benchmarks.runner import run_suite
from vision_zero.evaluation.run_suites import PolicyAnswerer
from vision_zero.evaluation.suite import Messages, scores_of
from vision_zero.randomness import Seed

OTHER = png_bytes(Image.new("RGB", (8, 6), (9, 9, 9)))
CHANGES: list[dict[str, Any]] = [{"decoded_image": {"bytes": OTHER}}, {"answer": "7"}, {"metadata": {"grade": "college"}}]


class KilledError(Exception):
    """The process ends here."""


def test_every_item_is_answered_once_in_order(tmp_path: Path) -> None:
    answerer, seen = Scripted(lambda number: f"The answer is {number}."), list[int]()
    records = run_suite(cats(5), answerer, tmp_path / "r.jsonl", batch_size=2, progress=seen.append)
    assert [record.key for record in records] == ["0", "1", "2", "3", "4"]
    assert [record.extraction for record in records] == ["0", "1", "2", "3", "4"]
    assert [record.is_right for record in records] == [False, False, False, True, False]
    assert seen == [2, 4, 5]
    assert read_records(tmp_path / "r.jsonl") == records
    assert records[0].prompt.startswith("Hint: Please")
    assert scores_of("mathvista", records).overall.accuracy == 0.2


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"

    def reply(number: int) -> str:
        if number == 4:
            raise KilledError
        return str(number)

    with pytest.raises(KilledError):
        run_suite(cats(7), Scripted(reply), path, batch_size=2)
    whole = path.read_bytes()
    assert len(read_records(path)) == 4
    path.write_bytes(whole + whole[:50])  # the line that was being written
    again = Scripted(lambda number: "3")
    records = run_suite(cats(7), again, path, batch_size=2)
    assert len(again.asked) == 3
    assert [record.response for record in records] == ["0", "1", "2", "3", "3", "3", "3"]
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == [str(number) for number in range(7)]
    assert run_suite(cats(7), again, path) == records
    assert len(again.asked) == 3


def test_a_torn_line_never_counts(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    records = run_suite(cats(2), Scripted(), path)
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 13), whole.index(b"\n"), whole.index(b"\n") + 1, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read_records(path) == records[: whole[:length].count(b"\n")]


def test_a_limit_can_be_raised_later(tmp_path: Path) -> None:
    answerer = Scripted()
    assert [record.key for record in run_suite(cats(9), answerer, tmp_path / "r.jsonl", limit=2)] == ["0", "1"]
    assert len(run_suite(cats(9), answerer, tmp_path / "r.jsonl", limit=5)) == 5
    assert len(answerer.asked) == 5
    assert len(run_suite(cats(3), answerer, tmp_path / "r.jsonl", limit=100)) == 3
    assert len(answerer.asked) == 5


@pytest.mark.parametrize("settings", [{"limit": 0}, {"batch_size": 0}])
def test_settings_are_checked(tmp_path: Path, settings: dict[str, int]) -> None:
    with pytest.raises(EvaluationError, match="at least 1"):
        run_suite(cats(2), Scripted(), tmp_path / "r.jsonl", **settings)


def test_records_of_another_run_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run_suite(cats(2), Scripted(), path)
    other = Scripted()
    other.name = "another"
    with pytest.raises(EvaluationError, match="holds answers of scripted to mathvista, not of another"):
        run_suite(cats(2), other, path)
    asked = MathVista(table_of([problem("0", question="How many dogs are there?")], "dogs"))
    with pytest.raises(EvaluationError, match="item 0 was asked with another prompt"):
        run_suite(asked, Scripted(), path)


@pytest.mark.parametrize("change", CHANGES, ids=["picture", "answer", "metadata"])
def test_an_item_that_became_another_one_is_asked_again_and_no_other(tmp_path: Path, change: dict[str, Any], caplog: Any) -> None:
    """The same file of the same name: the image, the right answer or what it is counted under was replaced in it."""
    rows, path = [problem(str(number)) for number in range(4)], tmp_path / "r.jsonl"
    run_suite(MathVista(table_of(rows, "cats")), Scripted(str), path)
    again = Scripted(lambda number: "7")
    changed = MathVista(table_of([rows[0], {**rows[1], **change}, *rows[2:]], "cats"))
    records = run_suite(changed, again, path)
    assert len(again.asked) == 1
    assert "1 items are asked again" in caplog.text
    assert [record.response for record in records] == ["0", "7", "2", "3"]
    assert records[1].is_right == (change.get("answer") == "7")
    assert run_suite(changed, again, path) == records
    assert len(again.asked) == 1
    assert [record.response for record in read_records(path)] == ["0", "7", "2", "3"]


def test_an_item_that_lost_its_image_is_no_longer_answered(tmp_path: Path) -> None:
    rows, path = [problem(str(number), decoded_image=None, image=f"{number}.png") for number in range(2)], tmp_path / "r.jsonl"
    files = {f"{number}.png": PNG for number in range(2)}
    table = table_of(rows, "cats", lambda name: open_in(files, name))
    assert [record.is_right for record in run_suite(MathVista(table), Scripted(lambda number: "3"), path)] == [True, True]
    del files["1.png"]
    records = run_suite(MathVista(table), Scripted(), path)
    assert "is missing beside it" in records[1].fault


def open_in(files: dict[str, bytes], name: str) -> bytes:
    if name not in files:
        raise FileNotFoundError(name)
    return files[name]


def test_records_of_an_earlier_version_are_asked_again(tmp_path: Path) -> None:
    """They do not say what their items were made of."""
    path = tmp_path / "r.jsonl"
    (record,) = run_suite(cats(1), Scripted(), path)
    path.write_text(record.model_copy(update={"asked": ""}).model_dump_json(exclude={"asked"}) + "\n")
    again = Scripted()
    assert run_suite(cats(1), again, path) == [record]
    assert len(again.asked) == 1


def test_spoiled_records_are_named(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run_suite(cats(1), Scripted(), path)
    line = path.read_text()
    path.write_text(line + line)
    with pytest.raises(EvaluationError, match="line 2: item 0 occurs twice"):
        read_records(path)
    path.write_text("{}\n" + line)
    with pytest.raises(EvaluationError, match="line 1 is no record"):
        read_records(path)


def test_a_run_waits_for_another_one_that_writes_the_same_file_and_asks_only_what_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two runs of different models may share their base, suites and folder: both ask the base."""
    path, second = tmp_path / "r.jsonl", Scripted()
    records = run_suite(cats(2), Scripted(), tmp_path / "other.jsonl")
    with ThreadPoolExecutor(1) as threads:
        with appending(path) as append:
            running = threads.submit(run_suite, cats(3), second, path)
            while "another run is writing" not in caplog.text:
                assert not wait([running], timeout=0.02).done
            append(records)
        assert [record.key for record in running.result(timeout=30)] == ["0", "1", "2"]
    assert len(second.asked) == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot be written"):
        run_suite(cats(1), Scripted(), tmp_path / "file" / "r.jsonl")


def test_answerers_must_answer_everything(tmp_path: Path) -> None:
    class Short(Scripted):
        def answer(self, prompts: Sequence[Messages], seed: Seed) -> list[str]:
            return ["3"]

    with pytest.raises(EvaluationError, match="gave 1 replies to 2 questions"):
        run_suite(cats(2), Short(), tmp_path / "r.jsonl")
    assert read_records(tmp_path / "r.jsonl") == []


def test_empty_and_odd_replies_are_recorded(tmp_path: Path) -> None:
    replies = ["", "x" * 100_000, "\n\u2028 3 \x00", "nan"]
    records = run_suite(cats(4), Scripted(replies.__getitem__), tmp_path / "r.jsonl")
    assert [record.response for record in read_records(tmp_path / "r.jsonl")] == replies
    assert [record.extraction for record in records] == ["", "N/A", "3", "N/A"]


def test_records_as_a_table(tmp_path: Path) -> None:
    records = run_suite(cats(3), Scripted(), tmp_path / "r.jsonl")
    write_parquet(records, tmp_path / "r.parquet")
    row = pq.read_table(tmp_path / "r.parquet").to_pylist()[2]
    assert (row["key"], row["response"], row["extraction"], row["is_right"], row["answers"]) == ("2", "3", "3", True, ["3"])
    assert ("source", ["ChartQA"]) in row["groups"]


@dataclass(frozen=True)
class FakePolicy:
    """What :class:`PolicyAnswerer` needs of a policy."""

    greedy: bool = False

    def complete(self, messages: Sequence[Messages], max_tokens: int, seed: Seed) -> list[object]:
        text = f"greedy={self.greedy} tokens={max_tokens} parts={len(messages[0][0]['content'])}"
        return [type("Completion", (), {"text": text})() for _ in messages]


def test_a_policy_answers_greedily_unless_told_otherwise() -> None:
    chats = [cats(1).item(0).messages()] * 2
    assert PolicyAnswerer(FakePolicy(), "p", 7).answer(chats, Seed(1)) == ["greedy=True tokens=7 parts=2"] * 2
    assert PolicyAnswerer(FakePolicy(), "p", 7, greedy=False).answer(chats, Seed(1))[0].startswith("greedy=False")


def test_an_item_without_its_image_is_recorded_counted_and_asked_later(tmp_path: Path) -> None:
    rows = [problem(str(number)) for number in range(5)]
    broken = [{**row, "decoded_image": {"bytes": b"no image"}} if row["pid"] in "13" else row for row in rows]
    answerer = Scripted()
    records = run_suite(MathVista(table_of(broken, "cats")), answerer, tmp_path / "r.jsonl", batch_size=2)
    assert [record.is_right for record in records] == [True, None, True, None, True]
    assert "problem 3: not a readable image" in records[3].fault
    scores = scores_of("mathvista", records)
    assert (scores.overall.accuracy, scores.overall.total, scores.faults, scores.unanswered) == (1.0, 3, 2, 0)
    write_parquet(records, tmp_path / "r.parquet")
    assert [bool(fault) for fault in pq.read_table(tmp_path / "r.parquet")["fault"].to_pylist()] == [False, True] * 2 + [False]
    mended = run_suite(MathVista(table_of(rows, "cats")), answerer, tmp_path / "r.jsonl", batch_size=2)
    assert [record.is_right for record in mended] == [True] * 5
    assert len(answerer.asked) == 5


def test_a_benchmark_without_any_image_is_an_error(tmp_path: Path) -> None:
    rows = [problem(str(number), decoded_image=None, image=None) for number in range(3)]
    with pytest.raises(EvaluationError, match=r"no item of mathvista can be asked: .*problem 0 has no image"):
        run_suite(MathVista(table_of(rows, "cats")), Scripted(), tmp_path / "r.jsonl", batch_size=2)
