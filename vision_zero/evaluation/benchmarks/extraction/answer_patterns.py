r"""The forms in which replies state their answer, as a table: one row a form, the surest first, each with examples.

A row finds the words that state the answer; a reader for options, numbers, lists or words then reads them, and the first row that
can be read decides. A new form is a new row, or an alternative with an example: ``test_answer_patterns.py`` tries each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from vision_zero.evaluation.benchmarks.extraction.reply import Reply, concludes, declines

_IS = (
    r"\s?(?:\b(?:is|are|was|(?:would|should|must|will|can|could|might|may|to|has to|have to) be|comes to|equals|seems|appears)\b"
    r"(?: to be\b)?|[:=→]|-+>|-(?= ))[\s:]*"
)
_WORDS = r"(?:,? [^\s.,:;!?=()]+){0,6}?,?"
_ANSWER = (
    rf"(?<!to )(?<!can )(?<!not )(?<!please )(?<!and )(?<![A-Za-z])(?:answers?\b{_WORDS}|ans\b|plausible|most likely"
    rf"|(?:correct|right|best|final|selected|my|likely) (?:option|choice|letter|one|statement)\b{_WORDS}|(?:final|required|the)"
    rf" (?:value|list|result)|(?:option|choice|letter)(?: (?:letter|number|value))?\W{{0,4}}?)[\"'*]{{0,3}}{_IS}|\bans\.\s"
)
_CHINESE = (
    r"(?:答案|选项|^答(?=:))(?:选项|应该|应)?\s?(?:是|为|选(?!项)|】|:)+\s?(?:选项)?:?\s?"
    r"|(?:故|应该?|所以|因此|本题|我|正确)?,?\s?选(?:择|项)?(?:是|为)?\s?:?\s?(?=[(\[*]{0,3}[A-Za-z])"
)
_OTHER_LANGUAGES = (
    r"\b(?:antwort|lösung|respuesta|réponse|risposta|resposta|ответ)\b(?: [^\s.:]+){0,3}?\s?(?:\b(?:ist|es|est)\b|[èé:-])\s?"
    r"(?:la |l'|a |die |le )?(?:(?:opción|opção|opzione|option|alternativa|letra|lettre) )?|(?:答え|正解|정답|답)\s?[は은는:]\s?"
)
_CHOOSES = (
    r"\b(?:I(?:'d| would| will|'ll| am|'m)?|we(?:'d| would| will)?) (?:\w+ )?(?:choose|pick|select|go(?:ing)? with"
    r"|opt for|say|guess|think|believe)\b(?: (?:that )?(?:it|the answer)(?: is|'s| must be))?"
    r"|\bgoing with\b|\b(?:my|best) (?:choice|pick|guess) is|^choose|had to guess,?"
)
_EXPLAINED = re.compile(
    r"(?im)^([^\n]{1,300})\n\s{0,20}\W{0,8}(?:here(?:'s| is| are) |(?:explanation|reason(?:ing)?|justification|breakdown|details"
    r"|working|calculations?|steps?(?!\s?\d)|analysis)\b[^\n]{0,60}:)"
)
_HENCE = (
    r"^\W{0,4}(?:and )?(?:so|finally|therefore|thus|hence|(?:most |very )?(?:likely|probably)|maybe|perhaps)\b[:,]?|→|=>|->|∴"
)
_CORRECT = (
    r"(?<![A-Za-z\d])(\(?[A-Z]\)?)[\"'*.]{0,3}(?: (?:\w+ )?(?:is|must be|would be|seems|should be) (?:(?:the|our|my|an?|most) )*"
    r"(?:\w+ )?(?:correct|right|best|answer|likely|true|one|choice)\b|\s?(?:选项)?(?:是)?(?:正确|对的))"
)
# "A" may be an article and "C" a point: a letter is an option's in parentheses, after its name, as a predicate or a subject.
_LONE = re.compile(
    r"(?<![\w)])\(\s?([A-Za-z])\s?\)(?!\()|\b[Oo]ption\s([A-Z])\b|(?:^|'s|\b(?:is|be|to|as|with|so|that|thus|therefore|hence"
    r"|clearly|only)\b,?|[:,=>→])\s?[\"'*]{0,3}([A-HJ-Z])(?=[\"'*)\].,;:!?]|\s?$|\s(?:is|has|shows|fits|must|would|looks|because"
    r"|it is)\b)|(?:[\])-]|\b(?i:towards?|leav\w+|say|said|like|conclude|on|for|ans|choose|pick|select|answer|best|correct|right"
    r"|really))\s[\"'*]{0,3}([A-HJ-Z])[\"'*.!?]{0,4}$"
)
_INSTEAD = (
    r"\b(?:not|n't|first|initially|thought|looks? like)\b[^.;]{1,30}?(?:,? but|[,;] ?(?:so )?it(?: is|'s)?|, so|,? rather)\s"
    r"(?:it(?:'s| is) )?(?:really |actually )?(?:the answer (?:is|should be) )?"
)
_TOTAL = r"^\W{0,6}(?:grand |the )?(?:total|sum|difference|average|altogether|in total)\b[^:=|\n\d]{0,30}(?:[:=|]|(?=\$?\d))"
_DENIED = re.compile(r"(?i)^\W{0,4}(?:not\b|n't|incorrect|wrong|none of\b|based on|provided|invalid|missing)")
_BELOW = re.compile(r"(?i)^\W*(?:as follows|below|the following|thus|therefore)?\W*$")
_WRONG = re.compile(r"(?i)\b(?:incorrect|wrong|not (?:the )?(?:correct|right|answer)|correct if|ruled out|eliminate|none of)")
_LETTER = re.compile(r"\W{0,6}\(?\s?([A-Z])\s?(?:\)|[.:](?=\s|$)|$)")
_LISTED = re.compile(r"\(?\b[A-Z]\s?[).:]\s")
_YES_NO = re.compile(r"(?i)\W{0,4}(?:yes|no|true|false)\b")

Find = Callable[[Reply], Iterable[str]]
LETTER, NUMBER = ("choice",), ("number",)
EITHER, SOME, ANY = (*LETTER, *NUMBER), (*LETTER, *NUMBER, "list"), (*LETTER, *NUMBER, "list", "words")


@dataclass(frozen=True, slots=True)
class Form:
    """One way of stating an answer: ``find`` gives the words that state it, the likeliest place first, as the ``examples`` say
    after ``=>``; if ``alone``, they must be an answer and nothing else, but for a unit and a reason."""

    name: str
    find: Find
    kinds: tuple[str, ...]
    examples: tuple[str, ...]
    alone: bool = True


def _after(*leads: str) -> Find:
    """What follows the last lead of each sentence, or the next sentence if nothing does; the last sentence first."""
    pattern = re.compile("|".join(leads), re.IGNORECASE)

    def find(reply: Reply) -> Iterator[str]:
        for place in range(len(reply.sentences) - 1, -1, -1):
            ends = [match.end() for match in pattern.finditer(reply.sentences[place])]
            if ends:
                rest = reply.sentences[place][ends[-1] :].strip()
                following = reply.sentences[place + 1 : place + 2] if _BELOW.match(rest) else (rest,)
                yield from (said for said in following if not _DENIED.match(said))

    return find


def _within(pattern: str) -> Find:
    """What the pattern's group matches in sentences that call nothing wrong; the last first."""
    return lambda reply: (
        said for part in reply.sentences[::-1] if not _WRONG.search(part) for said in re.findall(pattern, part)[::-1]
    )


def _opening(reply: Reply) -> Iterator[str]:
    """How the first sentence begins, unless the others begin with other letters: then it lists the options."""
    begins = {match[1] for match in map(_LETTER.match, reply.sentences) if match}
    first = reply.sentences[0] if reply.sentences else ""
    works = "=" in first and any("=" in sentence for sentence in reply.sentences[1:])
    if not (works or _WRONG.search(first) or len(begins) > 1 or len(set(_LISTED.findall(first))) > 1):
        match = _LETTER.match(first) or (None if declines(first) else _YES_NO.match(first))
        yield match[0] if match else first


def _total(reply: Reply) -> Iterator[str]:
    """The total, if no later statement has a number: then it is one of the steps."""
    numbered = [sentence for sentence in reply.sentences if re.search(r"\d", sentence)][-1:]
    yield from _after(_TOTAL)(replace(reply, sentences=tuple(numbered)))


def _letters(sentence: str) -> set[str]:
    """The letters of options that a sentence names, but for those that it declines after that."""
    named = [match for match in _LONE.finditer(sentence) if not declines(sentence[match.end() :])]
    return {"".join(filter(None, match.groups())).lower() for match in named}


def _lone(reply: Reply) -> Iterator[str]:
    """The one letter of the last sentence that names options, if that concludes or is the last; else the only one there is. Not
    in capitals, so that it is read only if there is such an option: others are points of a figure."""
    named = [(place, _letters(text)) for place, text in enumerate(reply.sentences)]
    found = [(place, own) for place, own in named if own and not _WRONG.search(reply.sentences[place])]
    last = len(reply.sentences) - 1
    yield from (min(own) for place, own in found[::-1] if len(own) == 1 and (place == last or concludes(reply.sentences[place])))
    everywhere = set().union(*(own for _, own in found))
    yield from everywhere if len(everywhere) == 1 else ()


FORMS = (
    Form("whole", lambda reply: (reply.text,), SOME, ("**B. 40** => **B. 40**",)),
    Form(
        "heading",
        _after(r"^\W*(?:the |my )?(?:final |correct |short )?(?:answer|result|conclusion|solution|choice|option|value|答案)\W*$"),
        ANY,
        ("### Final Answer\nB => B", "**Answer**\n\n**(B) 40** => (B) 40"),
    ),
    Form(
        "announced",
        _after(_ANSWER, _CHINESE, _OTHER_LANGUAGES),
        ANY,
        ("The answer is C because it is wide. => C because it is wide.", "So the answer is:\n\n(B) => (B)", "**Answer:** B => B",
         "The answer to your question is 44. That is 27% + 17%. => 44.", "答案选项为D => D", "故选B => B", "Antwort: B => B",
         "The answer is A. Wait, the answer is not A. The answer is B. => B.", '{"answer": "B"} => "B"}'),
        alone=False,
    ),
    Form("labelled", _after(r"^\W{0,6}(?:the )?(?:solution|result|conclusion|correct|cost)" + _IS), SOME, ("Result: B => B",)),
    Form("marked", lambda reply: re.findall(r"(?m)^#{4} ?([^\n#]{1,80})\Z", reply.text), ANY, ("3 + 11\n#### 14 => 14",)),
    Form("last line", lambda reply: reply.sentences[-1:], SOME, ("It is $40 and $45.\n\n$85.00 => $85.00",)),
    Form("opening", _opening, EITHER, ("C. It is (A). => C.", "No, it is not. => No", "5 because 3 + 2. => 5 because 3 + 2.")),
    Form("bold", lambda reply: reply.bold[::-1], SOME, ("It is **31 rolls** in all. => 31 rolls",)),
    Form("instead", _after(_INSTEAD), EITHER, ("The answer is not A but B. => B.", "I first thought A, but it is B. => B.")),
    Form("chosen", _after(_CHOOSES), EITHER, ("I'd say B. => B.", "If I had to guess, B. => B.")),
    Form("called correct", _within(_CORRECT), LETTER, ("A is wrong. B is correct. => B", "B选项正确 => B")),
    Form("hence", _after(_HENCE), EITHER, ("Hence, B. => B.", "Most likely B. => B.")),
    Form("explained", lambda reply: _EXPLAINED.findall(reply.text)[:1], NUMBER,
         ("It is $57.\nBreakdown:\n- A: $12\n- B: $45 => It is $57.",), alone=False),
    Form("total", _total, NUMBER, ("Red: $40\nBlue: $45\nTotal: $85 => $85",)),
    Form("lone letter", _lone, LETTER, ("x = 40, which corresponds to option B. => b", "(A) is wrong. So it is (B). => b",
         "The angle matches what option B says. => b", "A is 3 cm. That leaves C. => c", "It seems that B has more. => b")),
)  # fmt: skip
