"""ChartQA (Masry et al., 2022): questions about charts, written by people or by a model.

Both public layouts are read: ``image, query, label, human_or_machine`` (HuggingFaceM4/ChartQA) and ``type, question, answer,
image`` (lmms-lab/ChartQA); and the official folder's ``imgname, query, label`` with a file for people and one for the model.
Scored by relaxed accuracy (section 5.1, after Methani et al., 2020), exactly as it is published; beside it by a stricter rule:
the relaxed one accepts 2010 where the answer is 2009, because 5 % of 2009 are a hundred years. Differs from the published
evaluation in one thing: replies that announce a final answer are reduced to it before scoring."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, final, get_args

from vision_zero.errors import EvaluationError
from vision_zero.evaluation.benchmarks.datasets import BenchmarkTable, TableSuite
from vision_zero.evaluation.benchmarks.extraction.answer import stated
from vision_zero.evaluation.benchmarks.extraction.choices import plain
from vision_zero.evaluation.benchmarks.extraction.reply import SENTENCE_END, Reply
from vision_zero.evaluation.benchmarks.json_files import Row, text_of
from vision_zero.evaluation.suite import Extractor, Verdict

Origin = Literal["human", "augmented"]
NAME = "chartqa"
SUFFIX = "\nAnswer the question using a single word or phrase."
"""What follows each question, as in the common harnesses: the rule counts an answer in a sentence as wrong."""
_ORIGINS: dict[str, Origin] = {
    "0": "human",
    "1": "augmented",
    "machine": "augmented",
    **{
        form.format(origin): origin
        for origin in get_args(Origin)
        for form in ("{}", "{}_test", "{}_val", "test_{}", "val_{}", "test_{}.json", "val_{}.json")
    },
}

_WRAPPED = re.compile(r"(?:\*{1,3}|`{1,3}|\"|'|\$|_{2}|\W{0,2}#{1,6}\s?)([^*`\"$#\n]{1,200}?)[*`\"'$_.]{0,6}")
_LINE = r"\n\s*(?=\S+(?: \S+){3})"
_AMOUNT = r"[-+]?[$€£]?\d(?:[\d.,]*\d)?\s?%?(?: [mbtr]\w*illion| thousand)?"
_BY_WORD = r" \((?:the|as|because|since|with|see|from|shown)\b"
_EXPLAINED = re.compile(
    r"(?is)\W{0,4}((?:yes|no)(?=[*_]{0,3},[*_]{0,3} )"
    rf"|{_AMOUNT}(?=[*_]{{0,3}}(?:\.?{_LINE}| \(|;|,? (?:because|since|as|which|given|due|when|where|while)\b| [-–—] [a-z]))"
    rf"|[^\s,.;:]+(?: [^\s,.;:]+){{0,2}}(?=[*_]{{0,3}}(?:,? (?:because|since)\b|{_BY_WORD}|\.?{_LINE}))).*"
)
_BOLD = re.compile(r"[^*]*(?:\b(?:is|are|was|were)|=)[\s:]*\*\*([^*\n:]{1,80})\*\*[^*.\n]*[^*\w]*")
_REASON = re.compile(
    rf"(?i),? (?:because|since)\b|, (?:as|when|where|which|while|with)\b|(?:(?<=\byes)|(?<=\bno)), "
    rf"|(?<=[\d%]) \((?=[^)]*\))|{_BY_WORD}|\n"
)
_INITIALS = re.compile(r"(?:^|[\s.])[A-Za-z]\.[A-Za-z]\.$")
_TAG = re.compile(r"</?answer>", re.IGNORECASE)
_EDGES = " \t\n*`\"'$}{"
TOLERANCE = 0.05
"""Largest relative difference between a predicted number and the label."""
STRICT_YEARS = "relaxed accuracy, years exact"
"""The name under which the stricter rule is reported."""
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_ASKS_AMOUNT = re.compile(r"\bhow (?:many|much)\b|\b(?:difference|sum|total|average|median|ratio)\b", re.IGNORECASE)


@final
class ChartQA(TableSuite):
    """The questions of one split.

    Args:
        table: rows in one of the public layouts.

    Raises:
        EvaluationError: columns are missing.
    """

    name = NAME
    version = "1"
    hub, split = "HuggingFaceM4/ChartQA", "test"

    def __init__(self, table: BenchmarkTable) -> None:
        layouts = (("query", "label"), ("question", "answer"))
        self._asked, self._label = next((names for names in layouts if set(names) <= set(table.columns)), layouts[0])
        table.need(self._asked, self._label)
        self._image = "imgname" if "imgname" in table.columns else "image"
        self._origin = next((name for name in ("human_or_machine", "type", "source_file") if name in table.columns), "type")
        table.need(self._image, self._origin)
        super().__init__(table)

    def key(self, number: int) -> str:
        return str(number)

    def prompt(self, number: int) -> str:
        return self._question(self._table.rows[number]) + SUFFIX

    def verdict(self, number: int, reply: str, extractor: Extractor | None = None) -> Verdict:
        row = self._table.rows[number]
        labels = [label for label in labels_of(row[self._label]) if label]
        said = final_answer(reply)
        name = f"{self._table.name}, row {number}"
        if not labels:
            # Under the published rule an empty reply would be right.
            return Verdict.of_fault(f"{name} has no label", said)
        return chartqa_verdict(said, labels, origin_of(row[self._origin], name), self._question(row))

    def _called(self, number: int) -> str:
        return f"row {number}"

    def _cell(self, row: Row) -> Any:
        return f"png/{row['imgname']}" if self._image == "imgname" else row[self._image]

    def _question(self, row: Row) -> str:
        return text_of(row[self._asked]).strip()


open_suite = ChartQA.load


def chartqa_verdict(prediction: str, labels: Sequence[str], origin: Origin, question: str = "") -> Verdict:
    """Score one prediction against the label, or the best of several."""
    return Verdict(
        extraction=prediction.strip(),
        prediction=prediction.strip(),
        answers=tuple(labels),
        is_right=best_match(prediction, labels),
        is_answered=bool(prediction.strip()),
        also={STRICT_YEARS: any(strict_year_match(prediction, label, question) for label in labels)},
        groups={"origin": (origin,)},
        details={"question": question, "origin": origin},
    )


def final_answer(reply: str) -> str:
    r"""What a reply states as its answer: in a ``\boxed{…}`` or ``<answer>``, after "the answer is" or a heading, alone, or
    in the only bold print, which ends it ("The highest one is **Asia**.").

    Emphasis, quotation marks, LaTeX and a reason are taken off. A reply that announces nothing is otherwise kept as it is, which
    is what the published rule scores.
    """
    outer = Reply.of(reply)
    said = stated(outer.inner, "words", lambda words, _: words) or outer.box
    if said is None:
        alone = _WRAPPED.fullmatch(outer.text) or _EXPLAINED.fullmatch(outer.text) or _BOLD.fullmatch(outer.text)
        if alone is None:
            return outer.text
        said = alone[1]
    return _bare(_REASON.split(SENTENCE_END.split(said, maxsplit=1)[0], maxsplit=1)[0])


def _bare(words: str) -> str:
    """Without tags and LaTeX, signs of formulas and of emphasis, quotation marks and a full stop at its ends; single spaces."""
    text = " ".join(plain(_TAG.sub(" ", words)).strip(_EDGES).split())
    return text if _INITIALS.search(text) else text.rstrip(f"{_EDGES}.")


def labels_of(value: Any) -> list[str]:
    """The labels of a cell: one, or a list of them, whose lists are read as if they were not there. Objects are none."""
    if isinstance(value, list | tuple):
        return [label for own in value for label in labels_of(own)]
    return [] if isinstance(value, Mapping) else [text_of(value)]


def origin_of(value: Any, name: str) -> Origin:
    """Who wrote the question.

    Raises:
        EvaluationError: the cell says neither of the two.
    """
    origin = _ORIGINS.get(text_of(value).strip().lower())
    if origin is None:
        raise EvaluationError(f"{name}: {text_of(value)[:40]!r} says neither human (0) nor augmented (1)")
    return origin


def relaxed_match(prediction: str, label: str) -> bool:
    """Is the prediction right by the published rule?

    Both are stripped; one that ends in % is divided by 100. Where both are numbers and the label is not 0, they may differ by 5 %
    of the label; otherwise they must be equal but for case. NaN equals nothing.
    """
    said, right = prediction.strip(), label.strip()
    number, target = _number(said), _number(right)
    if number is not None and target:
        return abs(number - target) / abs(target) <= TOLERANCE
    return said.lower() == right.lower()


def strict_year_match(prediction: str, label: str, question: str = "") -> bool:
    """The published rule, but a label that is a year must be met exactly. Not the official score.

    A label is taken for a year if it is a whole number from 1500 to 2199 and the question does not ask for an amount.
    """
    right = label.strip()
    if _YEAR.fullmatch(right) and not _ASKS_AMOUNT.search(question):
        return _number(prediction.strip()) == float(right)
    return relaxed_match(prediction, label)


def best_match(prediction: str, labels: Sequence[str]) -> bool:
    """Is the prediction right by the published rule for any of several labels?"""
    return any(relaxed_match(prediction, label) for label in labels)


def _number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        return None
