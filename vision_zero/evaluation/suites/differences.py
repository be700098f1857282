"""Difference captions: two scenes side by side; say what changed. Scored on the change log, not against a reference sentence.

A reply is cut into clauses with one verb of change each. A clause claims that a thing became another, was added, or was removed;
of each thing it names some of CLEVR's four attributes. It is true of a logged change if nothing that it names contradicts the log
and it names what the log says is new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vision_zero.config.suites import Look, SuiteConfig
from vision_zero.data.image_pair import Change, ImagePair
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.scene import VALUES
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.evaluation.benchmarks.extraction.reply import boxed, readable
from vision_zero.evaluation.suite import Verdict
from vision_zero.evaluation.suites import scenes
from vision_zero.evaluation.suites.answer_matching import canonical
from vision_zero.evaluation.suites.procedural import ProceduralSuite, SuiteQuestion, held_out, image_grid

NAME, VERSION = "differences", 3
QUESTION = (
    "The picture on the right is the one on the left after something was changed. Say what changed, one change in a line, like "
    "this: the large red metal cube became a large blue metal sphere. A small green rubber cylinder was added. The large gray "
    "rubber sphere was removed."
)
SOME = "some change told"
"""The name under which replies that tell at least one change are counted."""
LOOKS: Mapping[Look, ScenesConfig] = {
    look: config.model_copy(
        update={"edits": {"recolor_reshape": 2.0, "recolor": 1.0, "reshape": 1.0, "add": 1.0, "remove": 1.0}, "min_changes": 1}
    )
    for look, config in scenes.LOOKS.items()
}
Named = Mapping[str, str]
"""Attributes that are named of a thing: ``{"color": "red"}``."""
LEAST_NAMED = 2
"""Attributes that must be named of a thing that was added or removed: "a thing was added" says too little."""
MOST_CLAIMS = 50
"""Clauses that are read; a longer reply lists everything that could be."""
_BECAME = (
    r"became|becomes?|(?:is|was|has been|were|are) replaced (?:by|with)|replaced (?:by|with)|(?:has )?turned (?:in)?to|turned"
    r"|(?:is|was|has been )?(?:changed|changes|swapped|transformed) (?:in)?to|(?:is|are) now|now|->|→|=>"
)
_ADDED = r"(?:is|was|were|are|has been|have been) (?:newly )?(?:added|new)|appeared|appears|\badded\b|\bnew\b"
_REMOVED = (
    r"(?:is|was|were|are|has been|have been) (?:removed|gone|missing|deleted|taken away)|disappeared|disappears|vanished"
    r"|\bremoved\b|\bgone\b|\bmissing\b"
)
_VERBS = (("became", re.compile(_BECAME)), ("removed", re.compile(_REMOVED)), ("added", re.compile(_ADDED)))
_VERB = re.compile(f"{_BECAME}|{_ADDED}|{_REMOVED}|\\bfrom\\b")
_CLAUSES = re.compile(r"[\n;]|\.(?:\s|$)")
_JOINTS = re.compile(r",? and |, ")
_VALUES = {value: key for key, values in VALUES.items() for value in values}
_WORD = re.compile(rf"\b({'|'.join(_VALUES)})s?\b")


def open_suite(config: SuiteConfig) -> ProceduralSuite:
    """``config.items`` pairs of scenes with one or two changes."""
    source, root = SceneSource(LOOKS[config.look]), held_out(NAME, VERSION)

    def pose(number: int) -> SuiteQuestion:
        pair = source.sample(root.child(config.look, number))
        return SuiteQuestion(QUESTION, image_grid([pair.original, pair.modified]), lambda reply: _verdict(pair, reply))

    return ProceduralSuite(config, VERSION, pose, __name__)


def _verdict(pair: ImagePair, reply: str) -> Verdict:
    caption = score_caption(reply, pair.changes)
    return Verdict(
        extraction=f"{caption.told} of {caption.logged} changes told, {caption.false} false",
        prediction=None,
        answers=("; ".join(change.sentence() for change in pair.changes),),
        is_right=caption.is_right,
        is_answered=bool(caption.told or caption.false),
        also={SOME: caption.told > 0},
        groups={"edit": tuple(sorted({change.kind for change in pair.changes})), "changes": (str(caption.logged),)},
        details={"told": caption.told, "false": caption.false, "f1": caption.f1},
    )


@dataclass(frozen=True)
class Claim:
    """What a clause says: ``before`` is None for an addition, ``after`` for a removal."""

    before: Named | None
    after: Named | None

    def is_true_of(self, change: Change) -> bool:
        """Does it say of this logged change what is new, and nothing false?"""
        before, after = attributes(change.before), attributes(change.after)
        if self.before is None or self.after is None:
            named, logged, otherwise = (self.after, after, before) if self.before is None else (self.before, before, after)
            return not otherwise and len(named or {}) >= LEAST_NAMED and _fits(named or {}, logged)
        if not (before and after and _fits(self.before, before) and _fits(self.after, after)):
            return False
        return all(key in self.after for key, value in after.items() if before[key] != value)


@dataclass(frozen=True, slots=True)
class Caption:
    """How a reply does: logged changes, those of them that it tells, and its claims that are true of none."""

    logged: int
    told: int
    false: int

    @property
    def is_right(self) -> bool:
        """Is every change told, and nothing else?"""
        return self.told == self.logged and not self.false

    @property
    def f1(self) -> float:
        """Harmonic mean of the share of changes told and the share of claims that are true."""
        claims = self.told + self.false
        return 2 * self.told / (self.logged + claims) if self.logged + claims else 0.0


def score_caption(reply: str, changes: Sequence[Change]) -> Caption:
    """Hold a reply to the change log; each logged change can be told once."""
    left, told, false = list(changes), 0, 0
    for claim in claims_in(reply):
        match = next((change for change in left if claim.is_true_of(change)), None)
        if match is None:
            # Saying the same true thing twice is no false claim.
            false += not any(claim.is_true_of(change) for change in changes)
        else:
            left.remove(match)
            told += 1
    return Caption(len(changes), told, false)


def claims_in(reply: str) -> list[Claim]:
    """The claims of a reply, at most ``MOST_CLAIMS``; whatever has no verb of change is skipped."""
    text = readable(canonical(reply))
    text = (boxed(text) or text).lower()
    claims: list[Claim] = []
    for clause in _clauses(text):
        claim = _claim(clause)
        if claim is not None:
            claims.append(claim)
        if len(claims) == MOST_CLAIMS:
            break
    return claims


def attributes(words: str) -> Named:
    """The attributes that words name; of one attribute the last value counts."""
    return {_VALUES[word]: word for word in _WORD.findall(words)}


def _fits(named: Named, logged: Named) -> bool:
    return all(logged.get(key) == value for key, value in named.items())


def _clauses(text: str) -> Iterator[str]:
    """Parts with one verb each: a part without one belongs to the part before it."""
    for sentence in _CLAUSES.split(text):
        clause: list[str] = []
        has_verb = False
        for part in _JOINTS.split(sentence):
            is_verbal = bool(_VERB.search(part))
            if has_verb and is_verbal:
                yield " ".join(clause)
                clause, has_verb = [], False
            clause.append(part)
            has_verb = has_verb or is_verbal
        yield " ".join(clause)


def _claim(clause: str) -> Claim | None:
    thing, is_moved, rest = clause.partition(" from ")
    was, _, now = rest.partition(" to ")
    if is_moved and attributes(was) and attributes(now):
        return Claim({**attributes(thing), **attributes(was)}, attributes(now))
    for kind, verb in _VERBS:
        match = verb.search(clause)
        if match is None:
            continue
        before, after = attributes(clause[: match.start()]), attributes(clause[match.end() :])
        if kind == "became":
            # "a small ball now" and "now there is a ball" say nothing of a change.
            return Claim(before, after) if before and after else None
        named = {**after, **before}
        return None if not named else Claim(None, named) if kind == "added" else Claim(named, None)
    return None
