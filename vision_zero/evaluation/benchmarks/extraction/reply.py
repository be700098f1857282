r"""A reply made readable: thinking and control tokens off, made-up next questions off, cut into sentences.

Replies come from any model, so nothing here raises and every step takes linear time. Very long replies are read at both ends
only: models state their answer first or last.
"""

from __future__ import annotations

import re

from vision_zero.game.parsing import Unreadable, split_reply

HEAD, TAIL = 3_000, 9_000
"""Characters that are read of the beginning and of the end of a long reply."""

_ASCII = str.maketrans(
    {
        **{chr(0xFF01 + offset): chr(0x21 + offset) for offset in range(94)},
        **{ideographic: f"{plain} " for ideographic, plain in zip("。！？；", ".!?;", strict=True)},
        "、": ",",
        "　": " ",
        "\u00a0": " ",
        "\u2212": "-",
        "\u2013": "-",
        "“": '"',
        "”": '"',
        "’": "'",
        "‘": "'",
        "\r": "\n",
    }
)
_TOKENS = re.compile(r"<\|[^<>|]{0,60}\|>|</?s>|\[/?INST\]|\\[()\[\]]")
_ANSWER_TAG = re.compile(r"<answer>(?P<inside>(?:(?!</?answer>).){0,4000})</answer>", re.IGNORECASE | re.DOTALL)
# Small models go on after their answer and write the next question of the prompt's form themselves.
_NEXT_QUESTION = re.compile(r"\n\s{0,20}(?:\*\*)?(?:question|hint|choices|human|user|model response)\s{0,3}:", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\n+|(?<=[.!?;])(?<!\bfig\.)(?<!e\.g\.)(?<!i\.e\.)[\"')\]]?\s+", re.IGNORECASE)
_COURTESY = re.compile(
    r"^\W{0,5}(?:i hope (?:this|that|it)|let me know|please let me know|do you have (?:any )?other|is there anything|"
    r"if you have any|sure[,.!]|okay[,.!]|feel free|would you like|here(?:'s| is) (?:a|the) (?:step|breakdown))",
    re.IGNORECASE,
)
_SAYS = re.compile(r"\w")
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")
_MARKS = re.compile(r"\*\*|__|`+|^[ \t]{0,20}(?:[-*•>#]{1,6}|\d{1,2}[.)])[ \t]{1,8}(?=\S)", re.MULTILINE)


def readable(reply: str) -> str:
    """The reply's own words in plain punctuation: no thinking, control tokens, formula brackets, or questions made up."""
    text = reply if len(reply) <= HEAD + TAIL else f"{reply[:HEAD]}\n{reply[-TAIL:]}"
    text = _TOKENS.sub(" ", text.translate(_ASCII))
    thought, separator, rest = text.rpartition("</think>")
    text = (rest if separator and rest.strip() else thought or rest).replace("<think>", " ").replace("</think>", " ").strip()
    following = _NEXT_QUESTION.search(text)
    return text[: following.start()].strip() if following and text[: following.start()].strip() else text


def boxed(text: str) -> str | None:
    r"""The content of the last closed ``\boxed{…}``, or of the last ``<answer>…</answer>``; None without either."""
    content = split_reply(text)[1]
    if not isinstance(content, Unreadable) and content.strip():
        return content.strip()
    tags = [match["inside"].strip() for match in _ANSWER_TAG.finditer(text)]
    return next((inside for inside in reversed(tags) if inside), None)


def emphasised(text: str) -> list[str]:
    """What is in bold print, in order."""
    return [part.strip() for part in _BOLD.findall(text)]


def sentences(text: str) -> list[str]:
    """The sentences and lines, without marks of emphasis and of lists, and without courtesies such as "I hope this helps"."""
    plain = _MARKS.sub("", text)
    parts = (part.strip(" \t*") for part in _SENTENCE_END.split(plain))
    return [part for part in parts if _SAYS.search(part) and not _COURTESY.match(part)]
