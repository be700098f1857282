"""What all suites have in common: items to ask, a verdict on each reply, and a record of it.

A suite is abstract or final: suites share nothing but these types.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from PIL import Image

from vision_zero.config_base import Config
from vision_zero.evaluation.benchmarks.extraction.answer import AnswerType

_PLACE = re.compile(
    r"<\|?(/?[\w-]*(?:image|img|video|vision|audio|row_\d+_col_\d+)[\w-]*)\|?>|<\|([^<>|\s]{1,40})\|>"
    r"|<(/?s|bos|eos|pad|unk|(?:start|end)_of_(?:turn|utterance))>",
    re.IGNORECASE,
)
Messages = list[dict[str, Any]]
"""A chat whose parts are texts and images, as :meth:`vision_zero.policy.policy.Policy.complete` takes it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question as it is put to a model.

    Attributes:
        key: unique within the suite, and the same in every run.
    """

    key: str
    prompt: str
    image: Image.Image

    def messages(self) -> Messages:
        """A chat of one user message: the image, then the text.

        Words that a processor would take for the place of an image or for a control token (``<image>``, ``<|image_pad|>``,
        ``<end_of_turn>``) lose their angle brackets.
        """
        text = _PLACE.sub(lambda found: f"[{found[found.lastindex or 0]}]", self.prompt)
        return [{"role": "user", "content": [{"type": "image", "image": self.image}, {"type": "text", "text": text}]}]


class Verdict(Config):
    """What a reply was found to say, and whether that is right.

    Attributes:
        extraction: the answer in the reply; ``""`` for an empty reply, ``N/A`` for one that gives none.
        prediction: the extraction in the form in which it is compared; None where it has none.
        answers: every right answer; empty where the split keeps them secret.
        is_right: by the official rule; None without an answer to compare with.
        is_answered: the reply gave an answer, right or wrong.
        also: verdicts by other, named rules.
        groups: the values by which accuracy is broken down, by the name of the breakdown; one item may be in several.
        details: further fields that exports need.
        fault: why the item could not be asked or judged (its image is missing, say); it counts neither as right nor as wrong.
    """

    extraction: str
    prediction: str | None
    answers: tuple[str, ...]
    is_right: bool | None
    is_answered: bool = True
    also: Mapping[str, bool] = {}
    groups: Mapping[str, tuple[str, ...]] = {}
    details: Mapping[str, Any] = {}
    fault: str = ""

    @classmethod
    def of_fault(cls, fault: str, said: str = "") -> Self:
        """No verdict on what was said, if anything was."""
        return cls(extraction=said, prediction=said or None, answers=(), is_right=None, is_answered=bool(said), fault=fault)


class Record(Verdict):
    """One item of a run: what was asked, what came back, and the verdict.

    Attributes:
        asked: see :meth:`Suite.digest`; empty in records of earlier versions, which are asked again.
    """

    benchmark: str
    answerer: str
    key: str
    prompt: str
    response: str
    asked: str = ""

    @classmethod
    def of(cls, verdict: Verdict, benchmark: str, answerer: str, key: str, prompt: str, response: str, asked: str = "") -> Self:
        """The record of a reply with its verdict."""
        return cls(
            **verdict.model_dump(), benchmark=benchmark, answerer=answerer, key=key, prompt=prompt, response=response, asked=asked
        )


class Extractor(Protocol):
    """Another way to read an answer out of a reply; see :mod:`vision_zero.evaluation.benchmarks.endpoint`."""

    def extract(self, reply: str, question: str, answer_type: AnswerType, choices: Sequence[str], found: str) -> str:
        """The answer in the reply, where rules found ``found``."""
        ...


class Suite(ABC):
    """Items in a fixed order, and the rule that scores replies to them."""

    name: str
    version: str
    """Of items, prompts and rules together: scores of two versions are not comparable."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def key(self, number: int) -> str:
        """The key of an item, without reading its image."""

    @abstractmethod
    def prompt(self, number: int) -> str:
        """The text of an item, without reading its image."""

    @abstractmethod
    def item(self, number: int) -> Item:
        """The item of that number.

        Raises:
            EvaluationError: its image is missing or unreadable.
        """

    @abstractmethod
    def digest(self, number: int) -> str:
        """A digest of everything that the item is made of: question, image and right answers. Replies are kept by it.

        Raises:
            EvaluationError: its image is missing.
        """

    @abstractmethod
    def verdict(self, number: int, reply: str, extractor: Extractor | None = None) -> Verdict:
        """Score a reply; never raises, whatever the reply."""


class Accuracy(Config):
    """A share of right items."""

    accuracy: float
    correct: int
    total: int


class Accuracies(Config):
    """Accuracy over all items and by group.

    Attributes:
        overall: by the official rule; None where no item has an answer to compare with.
        also: by other, named rules, over all items.
        groups: by the official rule, by breakdown and value; values with the highest accuracy come first.
        unanswered: items whose reply was empty or gave no answer; ``unanswered_right`` of them are right by the official rule,
            which takes the nearest choice even for those.
        faults: items that could not be asked or judged, and are in no other number here.
    """

    benchmark: str
    overall: Accuracy | None
    also: Mapping[str, Accuracy] = {}
    groups: Mapping[str, Mapping[str, Accuracy]] = {}
    unanswered: int
    unanswered_right: int
    faults: int = 0


def scores_of(benchmark: str, verdicts: Iterable[Verdict]) -> Accuracies:
    """Count the verdicts."""
    verdicts = list(verdicts)
    judged = [verdict for verdict in verdicts if verdict.is_right is not None]
    names = {name: None for verdict in judged for name in verdict.groups}
    silent = [verdict for verdict in judged if not verdict.is_answered]
    return Accuracies(
        benchmark=benchmark,
        overall=_accuracy([bool(verdict.is_right) for verdict in judged]) if judged else None,
        also={
            rule: _accuracy([verdict.also[rule] for verdict in judged if rule in verdict.also])
            for rule in {rule: None for verdict in judged for rule in verdict.also}
        },
        groups={name: _by_value(judged, name) for name in names},
        unanswered=len(silent),
        unanswered_right=sum(bool(verdict.is_right) for verdict in silent),
        faults=sum(bool(verdict.fault) for verdict in verdicts),
    )


def _by_value(verdicts: Sequence[Verdict], name: str) -> dict[str, Accuracy]:
    right: dict[str, list[bool]] = {}
    for verdict in verdicts:
        for value in verdict.groups.get(name, ()):
            right.setdefault(value, []).append(bool(verdict.is_right))
    found = {value: _accuracy(outcomes) for value, outcomes in right.items()}
    return dict(sorted(found.items(), key=lambda entry: (-entry[1].accuracy, entry[0])))


def _accuracy(outcomes: Sequence[bool]) -> Accuracy:
    return Accuracy(accuracy=sum(outcomes) / len(outcomes) if outcomes else 0.0, correct=sum(outcomes), total=len(outcomes))
