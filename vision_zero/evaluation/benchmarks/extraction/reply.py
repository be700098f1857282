r"""A reply made readable and cut into sentences. Any text may come: nothing here raises, and every step takes linear time.

Very long replies are read at both ends only: models state their answer first or last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from vision_zero.game.parsing import Unreadable, split_reply

HEAD, TAIL = 2_000, 7_000  # characters that are read of the beginning and of the end of a long reply

_ASCII = str.maketrans(
    {chr(0xFF01 + offset): chr(0x21 + offset) for offset in range(94)}
    | {ideographic: f"{plain} " for ideographic, plain in zip("。！？；", ".!?;", strict=True)}
    | dict(zip("選項擇應該為對錯確無餘總", "选项择应该为对错确无余总", strict=True))
    | dict(zip("、\u3000\u00a0\u2009\u202f\u2212\u2013\u2014\u201c\u201d\u2019\u2018\r", ",    ---\"\"''\n", strict=True))
)
_LONG = re.compile(r"\A(.{600}).+(.{600})\Z", re.DOTALL)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_TOKENS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"<\|(?:begin|end)_of_box\|>"), "<answer>"),
    (re.compile(r"(?i)</?(?:final(?:[ _-]?answer)?|conclusion|result|output|solution|option)>"), "<answer>"),
    (re.compile(r"(?i)</?(?:b|strong)>"), "**"),
    (re.compile(r"(?i)</?(?:p|div|br|li|ul|ol|h[1-6]|summary|reasoning|caption)\s?/?>"), "\n"),
    (re.compile(r"(?i)</?(?:i|em|u|span|center|mark|code|font)\b[^<>]{0,60}>"), ""),
    (re.compile(r"(?m)(?:^|(?<=\?\s))A:\s(?=\(?[B-Z]\)?[\s.]{0,3}\Z|(?i:yes|no)\b)"), "Answer: "),
    (re.compile(r"\b(USD|EUR|GBP|CNY|RMB|JPY|INR)(?=\d)"), r"\1 "),
    (re.compile(r"\bS(?=\d{1,9}\.\d)"), "$"),  # as character recognition reads a dollar sign
    (re.compile(r"(?<=10)[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}"), lambda match: f"^{match[0].translate(_RAISED)}"),
    (re.compile(r"<\|[^<>|]{0,60}\|>|</?s>|\[/?INST\]|\\[()\[\]]"), " "),
    (re.compile(r"(?<=\d)(?:[\u00a0\u2009\u202f']|\\,|\{,\})(?=\d{3}(?!\d))"), ","),
)
UNWRAPPED = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|rm|operatorname)\s?\{([^{}]{0,400})\}")
_LATEX = (
    (UNWRAPPED, r"\1"),
    (re.compile(r"\\(?:f?boxed|fbox)\s{0,3}\{"), r"\\boxed{"),
    (re.compile(r"\\(?=[$%#&])|\\[,;:! ](?!\w)|~(?=\\)"), ""),
    (re.compile(r"\\[,;:! ]"), " "),
)
_ANSWER_TAG = re.compile(r"<answer>(?P<inside>(?:(?!</?answer>).){0,4000})</?answer>", re.IGNORECASE | re.DOTALL)
# Small models go on after their answer and write the next question of the prompt's form themselves.
_NEXT_QUESTION = re.compile(r"(?i)\n\s{0,20}(?:\*\*)?(?:question|hint|choices|human|user|model response)\s{0,3}:")
SENTENCE_END = re.compile(
    r"(?i)\n+|(?<=[.!?;])(?<!\bfig\.)(?<!e\.g\.)(?<!i\.e\.)(?<!\bans\.)(?<!\brs\.)(?<!\b(?:st|mr|ms|dr|vs)\.)(?<!\bmrs\.)"
    r"(?:(?<!\bno\.)(?<!\b(?:jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)\.)|(?!\s\d))[\"')\]*]{0,3}\s+"
    r"|, (?=(?:so|thus|hence|therefore)\b(?! that))"
)
_OPENING = re.compile(r"(?i)^\W{0,5}(?:sure|ok|okay|certainly|of course|absolutely|alright|great question|well)\s?[,.!:]\s*")
_COURTESY = re.compile(
    r"(?i)^\W{0,5}(?:i hope (?:this|that|it)|(?:please )?let me know|do you have (?:any )?other|is there anything|if you have any"
    r"|feel free|would you like|here(?:'s| is) (?:a|the) (?:step|breakdown)|i can help you with)"
)
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")
_NUMBERED = re.compile(r"^[ \t]{0,20}(?:\*\*)?(\d{1,2})[.)][ \t]{1,8}(?=\S)", re.MULTILINE)
_MARKS = re.compile(
    r"(?m)\*\*|__|(?<![\w\\])_(?=[^\W_])|(?<=[^\W_])_(?![\w{])|`+(?:json|python)?|^[ \t]{0,20}[-*•>#]{1,6}[ \t]{1,8}(?=\S)"
)
_ASKS = re.compile(r"\?\s*$|\([_\s]*\)|（\s*）|_{2,}")
_REPEATED = 4  # words of a statement in the question, from which on a reply that has them only repeats it
NOT_ANSWERED = "N/A"  # the extraction of a reply that declines; what the official extraction mostly writes for one, too
_KNOW = r"(?:\w+ )?(?:determin|answer|provid|say\b|tell\b|calculat|identif|infer|extract|f[io]u?nd|see|giv|know|solv)\w*"
_DECLINES = re.compile(
    r"(?i)\bas an ai\b|\bsorry\b|\bapologi[sz]e\b|\binsufficient\b|\bunable to\b|\bunanswerable\b|\bmakes? no sense\b"
    rf"|\b(?:can(?:no|'| no)t|could(?:n't| not)) (?:be )?{_KNOW}|\b(?:impossible|not possible|difficult|hard|unable) to {_KNOW}"
    r"|\bI(?:'m| am)? (?:can(?:no|')t|unable|not able|not \w* ?sure|would need|need more)|\bI do(?:n't| not) (?:have|see|know)"
    r"|\bwe (?:can(?:no|')t|do not have|don't have|would need|need more|are not given)|\bno (?:image|picture|figure|data)\b"
    r"|\b(?:do(?:es)?|did)(?: not|n't) (?:(?:\w+ )?(?:provide|contain|specify|mention|(?:include|give) any|show this)"
    r"|have (?:enough|access|any|the specific|sufficient))|以上都不"
    r"|\bnot (?:provided|specified|explicitly|enough information|sufficient|in the (?:choices|options)|among|one of the)"
    r"|\bnot clear (?:what|how|which|from)|\b(?:is|are|remains?) (?:unknown|unclear|invalid|ambiguous|not known|not given)\b"
    r"|\b(?:image|picture|information|data|question)\b[^.]{0,20}\b(?:missing|unavailable|invalid)\b|没有(?:足够|提供)"
    r"|\b(?:need|require)s? (?:\w+ )?(?:more|additional|further) (?:information|context|details|data)"
    r"|\bno (?:\w+ )?(?:information|answer|correct answer)\b|\b(?:please|could you) (?:\w+ )?(?:provide|clarify|check|refer)"
    r"|\b(?:might|may|must|seems to|appears to) be an? (?:mistake|error|typo)|\bnone of the (?:\w+ )?(?:option|choice|answer)s"
    r"|无法(?:确定|回答|判断|得出)|(?:^|[:=] ?)\W{0,3}(?:n/?a|unknown|none of the above)\W*$"
)
_CONCLUDES = re.compile(
    r"(?i)^\W{0,4}(?:so|finally|overall|in conclusion|in total|in summary|consequently|accordingly|as a result)\b"
    r"|\b(?:therefore|thus|hence)\b|^\W{0,4}th(?:at(?:'s| is| makes| gives)|is (?:gives|makes|equals))\b|因此|所以|故"
)
_CONCEDES = re.compile(r"(?i),? (?:but|however|though|yet),? |, (?=(?:maybe|perhaps|probably|I(?:'d)? (?:think|guess|say))\b)")
_SUBORDINATE = re.compile(
    r"(?i),? (?:because|since|whereas|although|even though|assuming)\b| (?:compared (?:to|with)|rather than)\b|(?<=\w) \("
    r"|, ?(?:which|with|as|while|but|where|so that|given|compared|due)\b"
)


@dataclass(frozen=True)
class Reply:
    """The parts of a reply in which answers are looked for: its text, its sentences, its bold print and its last box."""

    text: str
    sentences: tuple[str, ...]
    bold: tuple[str, ...]
    box: str | None

    @classmethod
    def of(cls, reply: str) -> Reply:
        text = readable(reply)
        return cls(text, tuple(sentences(text)), tuple(part.strip() for part in _BOLD.findall(text)[-20:]), boxed(text))

    @property
    def inner(self) -> Reply:
        """What is in the box, as a reply of its own; all of it where there is no box."""
        return self if self.box is None else replace(Reply.of(self.box), box=None)

    @property
    def statements(self) -> list[str]:
        """The sentences, but of "it is hard to tell, but I count 5" only what follows."""
        parts = [(said, _CONCEDES.search(said)) for said in self.sentences]
        return [said[match.end() :] if match and declines(said[: match.start()]) else said for said, match in parts]


def readable(reply: str) -> str:
    """The reply's own words in plain punctuation: no thinking, control tokens, formula brackets, or questions made up."""
    text = reply if len(reply) <= HEAD + TAIL else f"{reply[:HEAD]}\n{reply[-TAIL:]}"
    for pattern, replacement in _TOKENS:
        text = pattern.sub(replacement, text)
    text = text.translate(_ASCII)
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    thought, separator, rest = text.rpartition("</think>")
    text = (rest if separator and rest.strip() else thought or rest).replace("<think>", " ").replace("</think>", " ").strip()
    following = _NEXT_QUESTION.search(text)
    return text[: following.start()].strip() if following and text[: following.start()].strip() else text


def beyond(question: str, reply: str) -> str:
    """The reply without the question's own statements: of "9 dots are in 3 groups, 3 in each" the last words, if in digits."""
    left = reply
    for given in SENTENCE_END.split(question):
        if len(words := re.findall(r"\w+", given)) >= _REPEATED and not _ASKS.search(given):
            left = re.sub(r"\W+".join(words), " ", left, flags=re.IGNORECASE)
    return left if re.search(r"\d", left) else reply


def boxed(text: str) -> str | None:
    r"""The content of the last closed ``\boxed{…}``, or of the last ``<answer>…</answer>``; None without either."""
    content = split_reply(text)[1]
    if not isinstance(content, Unreadable) and content.strip():
        return content.strip()
    tags = [match["inside"].strip() for match in _ANSWER_TAG.finditer(text)]
    return next((inside for inside in reversed(tags) if inside), None)


def sentences(text: str) -> list[str]:
    """The sentences and lines, without marks of emphasis and lists and without courtesies; of very long ones both ends."""
    if {"1", "2"} <= set(_NUMBERED.findall(text)):  # "85. Both are coats." is no list
        text = _NUMBERED.sub("", text)
    parts = (_OPENING.sub("", _LONG.sub(r"\1 \2", part.strip(" \t*"))) for part in SENTENCE_END.split(_MARKS.sub("", text)))
    return [part for part in parts if re.search(r"\w", part) and not _COURTESY.match(part)]


def concludes(sentence: str) -> bool:
    """Does it draw a conclusion ("therefore", "so")?"""
    return bool(_CONCLUDES.search(sentence))


def declines(sentence: str) -> bool:
    """Does it say that the question cannot be answered, or ask for more information?"""
    return bool(_DECLINES.search(sentence))


def main_clause(sentence: str) -> str:
    """The sentence up to its first reason, comparison or parenthesis."""
    match = _SUBORDINATE.search(sentence)
    return sentence[: match.start()] if match and match.start() > 0 else sentence
