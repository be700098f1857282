"""Small benchmarks for tests: rows in the public layouts, a scripted answerer, records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from vision_zero.data.images import png_bytes
from vision_zero.evaluation.benchmarks.datasets import table_of
from vision_zero.evaluation.benchmarks.mathvista import MathVista
from vision_zero.evaluation.suite import Messages
from vision_zero.randomness import Seed

PNG = png_bytes(Image.new("RGB", (8, 6), (200, 30, 30)))
METADATA = {"source": "ChartQA", "task": "figure question answering", "grade": "daily life", "skills": ["arithmetic reasoning"]}


def problem(pid: str = "1", **fields: Any) -> dict[str, Any]:
    """A row of testmini: how many cats there are, and the answer is 3."""
    row = {
        "pid": pid,
        "question": "How many cats are there?",
        "image": f"images/{pid}.jpg",
        "decoded_image": {"bytes": PNG, "path": None},
        "choices": None,
        "unit": None,
        "precision": None,
        "answer": "3",
        "question_type": "free_form",
        "answer_type": "integer",
        "metadata": METADATA,
        "query": "",
    }
    return row | fields


def choice(pid: str, choices: Sequence[str], answer: str, **fields: Any) -> dict[str, Any]:
    """A multiple-choice row of testmini."""
    return problem(pid, choices=list(choices), answer=answer, question_type="multi_choice", answer_type="text", **fields)


def chart_row(label: Any = "14", origin: int = 0, **fields: Any) -> dict[str, Any]:
    """A row in ChartQA's first public layout."""
    return {"image": {"bytes": PNG}, "query": "What is the value?", "label": label, "human_or_machine": origin} | fields


def cats(count: int) -> MathVista:
    """That many problems about cats."""
    return MathVista(table_of([problem(str(number)) for number in range(count)], "cats"))


class Scripted:
    """Answers by a function of the prompt's number in the run, and remembers every chat that it was given."""

    name = "scripted"

    def __init__(self, reply: Callable[[int], str] = lambda number: "3") -> None:
        self.asked: list[Messages] = []
        self._reply = reply

    def answer(self, prompts: Sequence[Messages], seed: Seed) -> list[str]:
        first = len(self.asked)
        self.asked.extend(prompts)
        return [self._reply(first + place) for place in range(len(prompts))]
