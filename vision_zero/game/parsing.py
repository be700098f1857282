r"""Parsing of replies: the last ``\boxed{…}`` is the move, everything before it is private reasoning.

A reply may hold anything: no box, several boxes, an unclosed one, markup, control characters, thousands of them. No input
raises: a reply without a move becomes an ``Unreadable`` with one of a fixed set of reasons, which is recorded and counted. The
released code differs: it falls back to the whole reply and to the first number in it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Reason = Literal["no_box", "open_box", "empty", "out_of_range", "not_a_vote", "cut_off"]

# \\text{Player 3}, \\mathbf{3}: how models write words inside of a box, which is mathematics to them.
_FONT = (
    r"\\(?:(?:text(?!color)|math|bold)[a-z]*|mbox|fbox|operatorname|underline|em(?:ph)?|(?:rm|sf|tt)(?:family)?|bf(?:series)?"
    r"|it(?:shape)?)(?![a-z])\s*"
)
_TYPESET = re.compile(rf"(?:{_FONT})?(?<!\\)\{{([^{{}}]*)\}}")
_COLOUR = re.compile(r"\\(?:text)?color\s*\{[^{}]*\}")
_SWITCH = re.compile(rf"{_FONT}|\\(?:tiny|small|large|Large|LARGE|huge|Huge|displaystyle)\b\s*")
_SPACE = re.compile(r"\\[ ,;:]|~|\\q?quad\b|(?<=[a-zA-Z])(?:\\?_|-|:)(?= *[#\d])")
_AROUND_VOTE = " .*$\"'`“”‘’()[]_"
_LONGEST_VOTE = 80
"""Characters; longer text is not parsed as a vote."""

BOX = "\\boxed{"
ABSTAIN = "N/A"
_ABSTENTIONS = frozenset({"n/a", "n.a", "na", "none", "unknown", "not sure", "unsure"})
_SEAT = re.compile(r"(?:player|seat|number|no\.?)?\s*#?\s*(\d{1,6})", re.IGNORECASE)
# <|…|>, <image>, </s>, [INST] and their like: text that a tokenizer could take for a control token.
_CONTROL_TEXT = re.compile(r"<\|[^<>|]{0,60}\|>|</?[A-Za-z_][\w-]{0,30}/?>|\[/?[A-Z_]{3,20}\]")


@dataclass(frozen=True, slots=True)
class Clue:
    """A public clue, safe to insert into other players' prompts."""

    text: str


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote for a seat (numbered from 1), or None for N/A."""

    seat: int | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply from which no move could be parsed, with the reason."""

    reason: Reason


def split_reply(reply: str) -> tuple[str, str | Unreadable]:
    """Split a reply into private reasoning and the content of the last closed box, or the reason why there is none."""
    end = len(reply)
    while (start := reply.rfind(BOX, 0, end)) >= 0:
        content = _balanced(reply, start + len(BOX), end)
        if content is not None:
            return reply[:start], content
        # What an open box swallows cannot close an earlier one either, so each character is read once.
        end = start
    return reply, Unreadable("open_box" if BOX in reply else "no_box")


def read_clue(reply: str, max_characters: int) -> tuple[str, Clue | Unreadable]:
    """Reasoning and clue of a reply; control text is removed from the clue, which is one line of at most ``max_characters``."""
    reasoning, content = split_reply(reply)
    if isinstance(content, Unreadable):
        return reasoning, content
    whole = _TYPESET.fullmatch(content.strip())
    text = one_line(whole.group(1) if whole else content)[:max_characters].strip()
    return reasoning, Clue(text) if text else Unreadable("empty")


def read_vote(reply: str, seats: int) -> tuple[str, Vote | Unreadable]:
    """Reasoning and vote of a reply in a game with ``seats`` players."""
    reasoning, content = split_reply(reply)
    if isinstance(content, Unreadable):
        return reasoning, content
    text = _untypeset(one_line(content)).strip(_AROUND_VOTE)
    if not text:
        return reasoning, Unreadable("empty")
    if re.sub(r"\s*([/.])\s*", r"\1", text.lower()) in _ABSTENTIONS:
        return reasoning, Vote(None)
    match = _SEAT.fullmatch(text)
    if match is None:
        return reasoning, Unreadable("not_a_vote")
    seat = int(match.group(1))
    return reasoning, Vote(seat) if 1 <= seat <= seats else Unreadable("out_of_range")


def one_line(text: str) -> str:
    """The text made safe for another prompt: no control tokens, no control characters, single spaces."""
    previous = None
    while previous != text:  # removing one token must not put another together: "<|<|end|>end|>"
        previous, text = text, _CONTROL_TEXT.sub(" ", text)
    kept = (character if unicodedata.category(character)[0] not in "CZ" else " " for character in text)
    return " ".join("".join(kept).split())


def _untypeset(text: str) -> str:
    """A vote without LaTeX formatting commands; text that is too long for a vote is returned unchanged."""
    if len(text) > _LONGEST_VOTE:
        return text
    previous = None
    while previous != text:
        previous, text = text, _TYPESET.sub(r"\1", _COLOUR.sub("", text))
    return _SPACE.sub(" ", _SWITCH.sub("", text)).replace("\\!", "").replace("\\#", "#")


def _balanced(text: str, start: int, end: int) -> str | None:
    """The text from ``start`` to the brace before ``end`` that closes the box, or None if nothing does."""
    depth = 1
    for place in range(start, end):
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if depth == 0:
                return text[start:place]
    return None
