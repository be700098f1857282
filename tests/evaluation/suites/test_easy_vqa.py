"""easy-VQA: the package's real images where it is installed, and what is said where it is not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from vision_zero.config.suites import SuiteConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.suites import easy_vqa
from vision_zero.evaluation.suites.easy_vqa import EasyVqa

QUESTIONS = [
    ("what is the blue shape?", "rectangle", 0),
    ("what color is the shape?", "blue", 0),
    ("is there not a black shape in the image?", "yes", 7),
    ("is there a triangle?", "no", 7),
]


@pytest.mark.parametrize(
    ("reply", "answer"),
    [("Rectangle.", "rectangle"), ("The blue shape is a rectangle.", "rectangle"), ("circle", "rectangle"), ("It's blue", "blue"),
     ("Yes, there is none.", "yes"), ("no", "no"), ("There is no triangle.", "no"), ("square", "rectangle"), ("", "blue")],
)  # fmt: skip
def test_verdicts_by_hand(reply: str, answer: str) -> None:
    suite = EasyVqa(QUESTIONS, {})
    number = next(number for number in range(4) if suite.verdict(number, "").answers == (answer,))
    assert suite.verdict(number, reply).is_right == (reply not in ("circle", "square", ""))


def test_the_order_is_shuffled_once_and_keys_are_the_packages_numbers() -> None:
    whole, some = EasyVqa(QUESTIONS * 10, {}), EasyVqa(QUESTIONS * 10, {}, count=5)
    assert sorted(int(whole.key(number)) for number in range(40)) == list(range(40))
    assert [some.key(number) for number in range(5)] == [whole.key(number) for number in range(5)]
    assert [int(some.key(number)) for number in range(5)] != list(range(5))


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"no image")
    suite = EasyVqa(QUESTIONS[:2], {0: tmp_path / "0.png"})
    with pytest.raises(EvaluationError, match=r"image of question [01] cannot be read"):
        suite.item(0)
    with pytest.raises(EvaluationError, match=r"image of question [01] cannot be read"):
        EasyVqa(QUESTIONS[:2], {}).item(0)


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(easy_vqa, "import_module", absent)
    with pytest.raises(EvaluationError, match=r"pip install 'vision-zero\[easy-vqa\]'"):
        EasyVqa.load(SuiteConfig(name="easy_vqa"))


def test_the_real_questions_and_images() -> None:
    pytest.importorskip("easy_vqa", reason="the package easy-vqa is not installed")
    suite = EasyVqa.load(SuiteConfig(name="easy_vqa", items=20_000))
    assert len(suite) == 9673
    kinds = Counter(suite.verdict(number, "").groups["asked for"][0] for number in range(300))
    assert set(kinds) == {"yes or no", "shape", "color"}
    for number in range(30):
        assert suite.item(number).image.size == (64, 64)
        answer = suite.verdict(number, "").answers[0]
        assert suite.verdict(number, answer).is_right
        assert suite.verdict(number, f"The answer is {answer}.").is_right
