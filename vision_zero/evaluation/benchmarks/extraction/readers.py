"""Reading one answer out of the words that state it: an option, a number, or a list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vision_zero.evaluation.benchmarks.extraction import choices as options
from vision_zero.evaluation.benchmarks.extraction.numbers import Number, numbers_in, only_number
from vision_zero.evaluation.benchmarks.extraction.reply import declines, main_clause

_HEDGES = re.compile(
    r"(?i)^[\s*:\"'$({]{0,6}(?:(?:(?:most |very )?(?:likely|probably)|clearly|obviously|therefore|thus|hence|indeed|then|only"
    r"|just|simply|actually|definitely|certainly|perhaps|maybe|possibly|still|approximately|about|around|roughly|it(?:'s| is)"
    r"|that|the|answer is|(?:correct |right )?(?:option|choice|letter|answer)|选项)\b[\s:]{0,3}){1,4}"
)
# "A" alone is mostly an article: a bare letter must be followed by punctuation, a reason, or another script.
_AT_START = re.compile(
    r"[^\w(]{0,6}?(?:\(\s?(?P<round>[A-Za-z])\s?\)|(?P<bare>[A-Z])(?:\)|(?=[.,:;!?\]}*\"'$|]|\s?$|\s?\(|\s-|\s?[^\x00-\x7f]"
    r"|\s(?:because|since|as|and|not|given|due|when|while|where|which|with|for|if|in|at|by|is|but|from|based|that|rather|so|after)\b)))"
)
_REASON = re.compile(
    r"(?i)(?:,|\s-|;)? ?\b(?:because|since|as(?! well)|due to|given that|, which|that is|i\.e\.|though|although|while"
    r"|whereas|but)\b|;| - (?=[A-Za-z])| \((?![A-Za-z]\)|[^)]*%)|(?<=\d)% \("
)
_HOW_MANY = re.compile(r"(?i)(?:\bhow many|\(_+\)|_{2,}) ((?!(?:of|more|less|fewer)\b)[a-z]{3,40}?)(?:e?s)?\b")
_CONDITION = re.compile(r"(?i)\b(?:because|when|where|if)\b[^=]{0,80}=")
_MOST = 20  # numbers of a sentence that are looked at, at each of its ends
_FILLED = (
    r"[\s$\"'({\[*~£€]{0,4}(?:\b(?:an?|only|about|approximately|around|exactly|roughly|equal to|a total of)\b\s?){0,3}"
    r"[\s$\"'({\[*~£€]{0,4}$"
)
_STATES = re.compile(
    r"(?i)(?:\b(?:is|are|was|were|be|equals?|costs?|needs?|gets?|takes?|gives?|makes?|pays?|spends?|left|totals?|only|about|around"
    r"|roughly|exactly|approximately|has|have|having|see|count|shows?|contain(?:s|ing)?|there's|(?:equal|comes?) to|total of)\b"
    rf"|\\approx|[=≈:是为有剩余]|剩下){_FILLED}"
)
_TOTALS = re.compile(rf"(?i)\b(?:total of|in total|totals?|altogether|a (?:difference|gap|sum) of|leav(?:es|ing))\b{_FILLED}")


def read_choice(said: str, question: str, choices: Sequence[str], *, alone: bool) -> str | None:
    """The letter of the option that words name, by letter, words, yes or no, or value; None where they name none. A letter beyond
    the choices, and a value that is none of them where all are numbers, stay as they are: the official scoring takes the nearest.
    """
    said = _HEDGES.sub("", said, count=1)
    text, words = options.plain(said), options.unwrapped(said)
    if (letter := options.lone_letter(words, len(choices)) or _letter(words, choices, alone=alone)) is not None:
        return letter
    stated = _REASON.split(text, maxsplit=1)[0]
    place = next((place for part in (text, stated) if (place := options.same(part, choices)) is not None), None)
    yes, pair = options.says_yes(text), options.yes_and_no(choices)
    if place is None and pair and yes is not None and (not alone or re.fullmatch(r"\W*\w+\W*", stated)) and not declines(text):
        place = pair[0] if yes else pair[1]
    if place is not None or alone:
        return options.letter_of(place) if place is not None else valued(only_number(text) or only_number(stated), choices)
    if declines(text):
        return None
    found = options.mentions(main_clause(text), choices) or options.mentions(text, choices)
    return options.letter_of(found[0][1]) if found else valued(read_number(said, question, alone=False), choices)


def valued(number: Number | None, choices: Sequence[str]) -> str | None:
    """The letter of the choice that is this number; where all choices are numbers, else the number itself."""
    place = None if number is None else options.of_value(number.value, choices)
    if place is not None:
        return options.letter_of(place)
    return number.text if number is not None and options.are_numbers(choices) else None


def _letter(text: str, choices: Sequence[str], *, alone: bool) -> str | None:
    """The letter that a text begins with: "(B) 5", "B. 5", "B because", "B 5"; with ``alone`` no more than that may follow."""
    if (match := _AT_START.match(text)) is None:
        followed = re.match(r"([A-Z])\s", text)
        return followed[1] if followed and options.same(text[1:], choices) is not None else None
    letter, rest = (match["round"] or match["bare"]).upper(), text[match.end() :].strip(" .,:;!?)]}*\"'-")
    if not rest or _REASON.match(f" {rest}") or _REASON.match(text, match.end()):
        return letter
    place = options.same(_REASON.split(rest, maxsplit=1)[0], choices)
    if place is not None:
        return letter if ord(letter) - ord("A") < len(choices) else options.letter_of(place)
    return None if alone and not re.match(r"(?:and )?not\b|\(", rest) else letter


def read_number(said: str, question: str, *, alone: bool) -> Number | None:
    """The number that words state; None where there is none or they decline. ``alone``: as of options, but for a unit, too."""
    text = _HEDGES.sub("", said, count=1)
    sides = text.split("=") if "=" in text and not _CONDITION.search(text) else []
    for part in (text, _REASON.split(text, maxsplit=1)[0], *sides[-1:], *sides[:1]):
        if (number := only_number(part)) is not None:
            return number
    return None if alone or declines(said) else number_in(said, question, is_answer=True)


def number_in(sentence: str, question: str, *, is_answer: bool = False) -> Number | None:
    """The number that a sentence is about: a year where one is asked for, the main clause's before others, and the last that is
    said of something ("is", "there are", an equals sign); numbers in words and those of the question count only where they are.
    ``is_answer``: the text begins with the answer itself.
    """
    found = numbers_in(sentence)
    found = found if len(found) <= 2 * _MOST else found[:_MOST] + found[-_MOST:]
    if re.search(r"(?i)\b(?:which|what) years?\b", question):
        found = [number for number in found if re.fullmatch(r"(?:1[5-9]|20)\d\d", number.text)] or found
    counted = counting(found, sentence, question)
    found = counted if counted and is_answer else found
    asked = {number.value for number in numbers_in(question)} - {number.value for number in counted}
    main = len(main_clause(sentence))
    listed = sentence.find(": ")  # "57 birds: 30 on the left and 27 on the right"
    main = min(main, listed) if any(number.start < listed and number.value not in asked for number in found) else main
    first = [number for number in found if number.start < main]
    return _chosen(first, sentence, asked, is_answer) or _chosen(found, sentence, asked, is_answer)


def counting(found: Sequence[Number], sentence: str, question: str) -> list[Number]:
    """The numbers of things of which the question asks how many: "in 1 year", where it asks "in how many years"."""
    if (asked := _HOW_MANY.search(question)) is None:
        return []
    things = re.compile(rf"(?i)\s(?:[a-z]+\s)?{asked[1]}")
    return [number for number in found if things.match(sentence, number.end, number.end + 60)]


def _chosen(found: Sequence[Number], sentence: str, asked: set[float], is_answer: bool) -> Number | None:
    """One of the numbers found in a sentence or in its main clause; None when all only repeat the question."""
    stated = [number for number in found if _before(_STATES, sentence, number)]
    if is_answer:
        equals = sentence.find("=")
        equated = [number for number in stated if 0 <= equals < number.start]
        return equated[-1] if equated else found[0] if found else None
    kept = [number for number in found if number in stated or not ((number.is_word and number.start) or number.value in asked)]
    for surest in ([number for number in kept if _before(_TOTALS, sentence, number)], stated):
        if surest:
            return ([number for number in surest if number.value not in asked] or surest)[-1]
    return kept[-1] if kept else None


def read_list(said: str, *, alone: bool) -> str | None:
    """The numbers that words list, as Python would print them: in brackets or by commas, "between … and …", or two or more."""
    bracketed = re.findall(r"\[([^\[\]]{1,2000})\]", said)[-1:] or [said.strip(" \n[](){}*`$.")]
    elements = [only_number(part.strip(" \n\t'\"$%")) for part in bracketed[0].split(",")]
    found = [number for number in elements if number] if all(elements) else []
    if not found and not alone:
        found = [number for number in numbers_in(said) if not number.is_word] or numbers_in(said)  # "the two years 3 and 7"
        pair = re.search(r"\b(?:between|from)\b", said, re.IGNORECASE)
        after = [number for number in found if pair and number.start >= pair.end()]
        found = after[:2] if len(after) > 1 else found
    return f"[{', '.join(number.text for number in found)}]" if len(found) > 1 or (found and "[" in said) else None


def _before(pattern: re.Pattern[str], sentence: str, number: Number) -> bool:
    return pattern.search(sentence, max(0, number.start - 40), number.start) is not None
