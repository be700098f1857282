"""easy-VQA (Zhou, 2019): questions about single shapes, made by others, from the package ``easy-vqa``, which ships its images.

Out of domain: nothing that this project draws looks like it. The order is shuffled once and for all, so that a limit takes a fair
sample; keys are the numbers of the package's questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, final

from vision_zero.config.suites import Look, SuiteConfig
from vision_zero.data.images import decode
from vision_zero.errors import EvaluationError, PairsError
from vision_zero.evaluation.suite import Extractor, Item, Suite, Verdict
from vision_zero.evaluation.suites.answer_matching import YES_NO, word_in
from vision_zero.evaluation.suites.procedural import as_asked, closed_verdict, held_out
from vision_zero.fingerprints import digest

NAME, VERSION = "easy_vqa", 1
SHAPES = ("circle", "rectangle", "triangle")
"""What the package answers beside colours, yes and no."""


@final
class EasyVqa(Suite):
    """The test questions of the package.

    Args:
        questions: text, answer and image of each question.
        images: file by image.
        count: as many of them are asked; None asks all.
        look: whether the questions ask for a short answer.
    """

    name = NAME
    version = str(VERSION)

    def __init__(
        self,
        questions: Sequence[tuple[str, str, int]],
        images: dict[int, Path],
        count: int | None = None,
        look: Look = "full",
    ) -> None:
        order = held_out(NAME, VERSION).generator().permutation(len(questions))
        self._questions, self._images, self._look = questions, images, look
        self._order = [int(number) for number in order][:count]
        self._colors = tuple(sorted({answer for _, answer, _ in questions} - {*YES_NO, *SHAPES}))

    @classmethod
    def load(cls, config: SuiteConfig) -> EasyVqa:
        """The questions of the installed package, as many as are configured.

        Raises:
            EvaluationError: it is not installed, or has other files than version 1.0.
        """
        try:
            package: Any = import_module("easy_vqa")
        except ImportError as error:
            raise EvaluationError("the suite easy_vqa needs its package: pip install 'vision-zero[easy-vqa]'") from error
        try:
            questions = list(zip(*package.get_test_questions(), strict=True))
            images = {int(number): Path(path) for number, path in package.get_test_image_paths().items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise EvaluationError(f"the package easy-vqa cannot be read: {error}; install version 1.0 again") from error
        return cls(questions, images, config.items, config.look)

    def __len__(self) -> int:
        return len(self._order)

    def key(self, number: int) -> str:
        return str(self._order[number])

    def prompt(self, number: int) -> str:
        return as_asked(self._asked(number)[0], self._look)

    def item(self, number: int) -> Item:
        try:
            image = decode(self._data(number), f"easy_vqa, question {self.key(number)}")
        except PairsError as error:
            raise EvaluationError(f"easy_vqa: the image of question {self.key(number)} cannot be read: {error}") from error
        return Item(self.key(number), self.prompt(number), image)

    def digest(self, number: int) -> str:
        return digest(repr(self._asked(number)), self._data(number))

    def verdict(self, number: int, reply: str, extractor: Extractor | None = None) -> Verdict:
        text, answer, _ = self._asked(number)
        kind, options = next(
            (kind, options)
            for kind, options in (("yes or no", YES_NO), ("shape", SHAPES), ("color", self._colors))
            if answer in options
        )
        return closed_verdict(word_in(reply, text, options), answer, {"asked for": (kind,)})

    def _data(self, number: int) -> bytes:
        try:
            return self._images.get(self._asked(number)[2], Path("missing")).read_bytes()
        except OSError as error:
            raise EvaluationError(f"easy_vqa: the image of question {self.key(number)} cannot be read: {error}") from error

    def _asked(self, number: int) -> tuple[str, str, int]:
        return self._questions[self._order[number]]


open_suite = EasyVqa.load
