"""Which of a reply's sentences states the answer: an announced one, a conclusion, or the one that repeats the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOT_ANSWERED = "N/A"
"""The extraction of a reply that declines to answer; what the official extraction mostly writes for one, too."""

_ANNOUNCED = re.compile(
    r"(?<![A-Za-z\d_])(?:answer|option|choice|final (?:value|list|result|number))s?"
    r"(?: (?:letter|number|value|choice|option))?\W{0,4}"
    r"(?:(?:is|are|would be|should be|must be|will be|was|to (?:the|this) (?:question|problem) is)\b|[:=])\W{0,4}?"
    r"|(?:正确)?(?:答案|选项)(?:应该|应)?(?:是|为|选)?\s?:?|(?:故|应|所以|因此|正确)\W?选择?(?:项)?(?:是|为)?:?",
    re.IGNORECASE,
)
_DENIED = re.compile(r"^\W{0,4}(?:not\b|n't|incorrect|wrong|none\b|unclear|unknown|based on|as follows|provided)", re.IGNORECASE)
_CONCLUDES = re.compile(
    r"^\W{0,4}(?:so|finally|overall|in conclusion|in total|in summary|consequently|accordingly|as a result)\b"
    r"|\b(?:therefore|thus|hence)\b|因此|所以|故",
    re.IGNORECASE,
)
_DECLINES = re.compile(
    "|".join(
        (
            r"\bas an ai\b|\bsorry\b|\bapologi[sz]e\b|\binsufficient\b|\bunable to\b|^n/?a\W*$",
            r"\bI(?:'m| am)? (?:can(?:no|')t|unable|not able|not sure|would need|need more)|\bI do(?:n't| not) (?:have|see)",
            r"\bwe (?:can(?:no|')t|do not have|don't have|need more|are not given)",
            r"\bcan(?:no|')t be (?:\w+ )?(?:determined|answered|calculated|found|identified|inferred|known|extracted|seen)",
            r"\bcan(?:no|')t (?:determine|answer|provide|see|tell|calculate|identify|find|view)",
            r"\b(?:impossible|not possible|difficult|hard) to (?:\w+ )?(?:determine|say|tell|provide|answer|identify|calculate)",
            r"\b(?:impossible|not possible|difficult|hard) to (?:\w+ )?(?:give|find|know|understand|solve)",
            r"\b(?:do(?:es)?|did)(?: not|n't) (?:\w+ )?(?:provide|contain|specify|mention|include any|show any|give any)",
            r"\b(?:do(?:es)?|did)(?: not|n't) have (?:enough|access|any|the specific|sufficient)",
            r"\bnot (?:provided|specified|explicitly|enough information|sufficient|in the (?:choices|options)|among|one of the)",
            r"\bnot clear (?:what|how|which|from)|\bnone of the (?:\w+ )?(?:options|choices|answers)",
            r"\b(?:need|require)s? (?:\w+ )?(?:more|additional|further) (?:information|context|details|data)",
            r"\bno (?:\w+ )?(?:information|answer|correct answer)\b|\bcould you (?:please )?(?:provide|clarify)",
            r"\bplease (?:provide|check|specify|refer|clarify)",
            r"\b(?:might|may|must|seems to|appears to) be (?:a |an )?(?:mistake|error|typo)",
            r"无法(?:确定|回答|判断|得出)|没有(?:足够|提供)|以上都不",
        )
    ),
    re.IGNORECASE,
)
_LACKS = re.compile(r"^the (?:question|text|problem) (?:does not|doesn't) (?:provide|contain|specify|give)\b", re.IGNORECASE)
_UNDETERMINED = re.compile(r"\bcan(?:no|')t be (?:determined|provided)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")
_SUBORDINATE = re.compile(
    r",? (?:because|since|whereas|although|even though|assuming)\b| (?:compared (?:to|with)|rather than)\b|(?<=\w) \("
    r"|, ?(?:which|with|as|while|but|where|so that|given|compared|due)\b",
    re.IGNORECASE,
)
_COMMON = frozenset(
    "the and for are was were with that this from which what how many much does did has have had will would than then its their "
    "there here following given figure image picture chart shown above below answer question please option choose".split()
)


def announced(sentences: Sequence[str]) -> list[str]:
    """What follows "the answer is" in each sentence that announces an answer and does not deny one; the last comes first."""
    found = []
    for number, sentence in enumerate(sentences):
        matches = list(_ANNOUNCED.finditer(sentence))
        if not matches:
            continue
        rest = sentence[matches[-1].end() :].strip()
        if not rest and number + 1 < len(sentences):
            rest = sentences[number + 1]
        if rest and not _DENIED.match(rest):
            found.append(rest)
    return found[::-1]


def ranked(sentences: Sequence[str], question: str) -> list[str]:
    """The sentences that are no questions, most likely statement first.

    A conclusion counts 1, the share of the question's words that a sentence repeats up to 1, and its place up to 0.3: models
    restate the question when they answer it, and answer it again at the end.
    """
    asked = _content(_asking(question))
    last = max(len(sentences) - 1, 1)

    def weight(item: tuple[int, str]) -> float:
        number, sentence = item
        repeated = len(asked & _content(sentence)) / max(len(asked), 1)
        return repeated + (1.0 if _CONCLUDES.search(sentence) else 0.0) + 0.3 * number / last

    statements = [item for item in enumerate(sentences) if not item[1].endswith("?")]
    return [sentence for _, sentence in sorted(statements, key=weight, reverse=True)]


def concludes(sentence: str) -> bool:
    """Does it draw a conclusion ("therefore", "so")?"""
    return bool(_CONCLUDES.search(sentence))


def declines(sentence: str) -> bool:
    """Does it say that the question cannot be answered, or ask for more information?"""
    return bool(_DECLINES.search(sentence))


def declined(sentences: Sequence[str]) -> str:
    """The extraction of a reply that declines to answer a multiple-choice question.

    It matters, because the official scoring takes the nearest choice for whatever is extracted. What GPT-4 extracts from such
    replies is followed here: a short one that says what the question lacks, as it is; "Cannot be determined"; else ``N/A``.
    """
    if len(sentences) <= 2 and _LACKS.search(sentences[0]):
        return sentences[0]
    return "Cannot be determined" if len(sentences) == 1 and _UNDETERMINED.search(sentences[0]) else NOT_ANSWERED


def main_clause(sentence: str) -> str:
    """The sentence up to its first reason, comparison or parenthesis."""
    match = _SUBORDINATE.search(sentence)
    return sentence[: match.start()] if match and match.start() > 0 else sentence


def _asking(question: str) -> str:
    """The part of a question that asks: its last sentence, or all of it when that has fewer than two words of weight."""
    parts = [part for part in re.split(r"(?<=[.?!])\s+", question.strip(" '\"")) if part]
    return parts[-1] if parts and len(_content(parts[-1])) > 1 else question


def _content(text: str) -> frozenset[str]:
    return frozenset(word for word in _words(text) if word not in _COMMON)


def _words(text: str) -> Iterable[str]:
    # A plural is the same word: cutting the last s is enough to compare with.
    return (word.lower().removesuffix("s") for word in _WORD.findall(text))
