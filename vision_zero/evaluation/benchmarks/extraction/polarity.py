"""Yes or no, where a reply only implies it: "The function is not convex" answers "Is this function convex?" with no."""

from __future__ import annotations

import re
from collections.abc import Sequence

_YES = frozenset({"yes", "true", "correct"})
_NO = frozenset({"no", "false", "incorrect"})
_NOT = re.compile(r"\b(?:not|no|never|neither|none|cannot|without)\b|n't\b|不|没有", re.IGNORECASE)
_SAID = re.compile(r"\b(yes|no|true|false)\b", re.IGNORECASE)
_MORE = re.compile(r"\b(?:greater|more|larger|higher|bigger|longer|taller|above|exceeds?)\b", re.IGNORECASE)
_LESS = re.compile(r"\b(?:less|fewer|smaller|lower|shorter|below)\b", re.IGNORECASE)
_SAME = re.compile(r"\b(?:equals?|same|equal to)\b", re.IGNORECASE)
_LIKE = re.compile(r"\b(?:like|same|similar|equal|identical|alike)\b", re.IGNORECASE)
_DIFFERS = re.compile(r"\b(?:while|whereas|differ(?:s|ent)?)\b", re.IGNORECASE)
_FULL_EMPTY = (re.compile(r"\bfull\b", re.IGNORECASE), re.compile(r"\bempty\b", re.IGNORECASE))


def yes_and_no(choices: Sequence[str]) -> tuple[int, int] | None:
    """The places of yes and of no when the choices are just these two (or true and false)."""
    words = [choice.strip().lower() for choice in choices]
    yes = [place for place, word in enumerate(words) if word in _YES]
    no = [place for place, word in enumerate(words) if word in _NO]
    return (yes[0], no[0]) if len(words) == 2 and len(yes) == len(no) == 1 else None


def says_yes(sentence: str) -> bool | None:
    """Whether the sentence begins with, or else contains just one of, yes and no; None when it says neither."""
    said = [word.lower() for word in _SAID.findall(sentence)]
    if not said:
        return None
    opening = _SAID.match(sentence.lstrip(" ,.:\"'(*"))
    if opening:
        return opening[1].lower() in _YES
    words = {word for word in said if word != "no"} or set(said)
    return words.pop() in _YES if len(words) == 1 and "no" not in said else None


def implies_yes(sentence: str, question: str) -> bool:
    """Whether a sentence without a yes or no affirms what was asked.

    A comparison the other way round, or of equals, denies it; so does a negation that the question does not have itself.
    """
    for one, other in ((_MORE, _LESS), (_LESS, _MORE), _FULL_EMPTY, _FULL_EMPTY[::-1]):
        if one.search(question) and not other.search(question):
            if other.search(sentence) and not one.search(sentence):
                return bool(_NOT.search(sentence))
            if _SAME.search(sentence) and not one.search(sentence) and not _SAME.search(question):
                return False
    if _LIKE.search(question) and _DIFFERS.search(sentence):
        return False
    return bool(_NOT.search(sentence)) == bool(_NOT.search(question))
