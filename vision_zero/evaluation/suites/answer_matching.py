"""Reading answers out of replies to questions with few possible answers: words, yes or no, and counts.

The rules are those of :mod:`vision_zero.evaluation.benchmarks.extraction`. One thing is added, the words that people use for
CLEVR's attributes (ball for sphere), and one taken away: a bare letter is no answer to a question that listed no letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vision_zero.domains.scenes.statements import NUMBERS
from vision_zero.evaluation.benchmarks.extraction.answer import extract
from vision_zero.evaluation.benchmarks.extraction.choices import letter_of, lone_letter, yes_and_no
from vision_zero.evaluation.benchmarks.extraction.reply import NOT_ANSWERED, boxed, readable

YES_NO = ("yes", "no")
SYNONYMS: Mapping[str, str] = {
    "ball": "sphere",
    "block": "cube",
    "box": "cube",
    "grey": "gray",
    "big": "large",
    "tiny": "small",
    "shiny": "metal",
    "metallic": "metal",
    "matte": "rubber",
}
"""CLEVR's own synonyms, and the British grey."""

_SYNONYM = re.compile(rf"\b({'|'.join(SYNONYMS)})(s?)\b", re.IGNORECASE)
_NUMBER = re.compile(rf"\W*({'|'.join((*NUMBERS, 'none', 'zero'))})\b", re.IGNORECASE)

_AFFIRMS = re.compile(
    r"\b(?:yes|no|true|false|correct|not|none|there (?:is|are)|same|different|more|fewer|equal|as many)\b|n't\b", re.IGNORECASE
)
"""Without any of these a reply to a question for yes or no says neither; the extraction would take it for an implied yes."""
_UNSURE = re.compile(r"\bno (?:idea|clue|answer)\b|\b(?:not|n[o']t) (?:sure|certain|know|clear)\b|\bunsure\b", re.IGNORECASE)


def word_in(reply: str, question: str, options: Sequence[str]) -> str | None:
    """The option that the reply names, or None; naming two with "or" between them names none."""
    either = "|".join(map(re.escape, options))
    text = re.sub(rf"\b(?:{either})(?:,? or (?:{either}))+\b", " ", canonical(reply), flags=re.IGNORECASE)
    if not text.strip() or lone_letter(readable(text), len(options)) is not None:
        return None
    if yes_and_no(options) and (_UNSURE.search(text) or not _AFFIRMS.search(readable(text))):
        return None
    found = extract(text, question, "text", options)
    if found in options:
        return found
    return next((option for place, option in enumerate(options) if found == letter_of(place)), None)


def count_in(reply: str, question: str) -> str | None:
    """The number of things that the reply names, in digits, or None."""
    found = extract(canonical(reply), question, "integer")
    if re.fullmatch(r"\d{1,9}(?:\.0+)?", found):
        return str(int(float(found)))
    text = readable(reply)
    opening = _NUMBER.match(boxed(text) or text)
    if opening is None or _UNSURE.search(reply) or found not in ("", NOT_ANSWERED):
        return None
    word = opening[1].lower()
    return str(NUMBERS.index(word)) if word in NUMBERS else "0"


def canonical(text: str) -> str:
    """The text with CLEVR's words for what has several."""
    return _SYNONYM.sub(lambda match: SYNONYMS[match[1].lower()] + match[2], text)
