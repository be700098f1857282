"""Names of held-out metrics: their direction, their unit, and their labels in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from vision_zero.config.evaluation import ScriptedName

BESIDE_REASONED = "beside the reasoned base, "
"""Before the name of a measure that is compared with the base made to reason instead of the base."""
OVER_RULE = "decision/forced over the rule"
"""The policy's forced choice, compared with the rule on the base's own checks."""
NEUTRAL = ("/abstention", "/words", "/reasoned", "/attributes", "/objects that fit", "/telling")
"""Ends of names of what is neither good nor bad: N/A is right where nothing can be known, a telling clue helps civilians and
betrays a spy."""
BAD = ("/unreadable", "/duplicates", "true denied/all", "clues/false")
"""Ends of names of which less is better."""
NUMBERS = ("/words", "/attributes", "/objects that fit")
"""Ends of names of numbers; all others are shares."""
SHOWN: Mapping[str, str] = {
    "decision/forced": "forced choice right",
    OVER_RULE: "… over base's rule",
    "decision/rule on checks": "rule on checks",
    "decision/accuracy": "right votes",
    "decision sampled/accuracy": "right votes, sampled",
    "decision/abstention": "N/A votes",
    "decision/unreadable": "unreadable votes",
    "decision/spy caught": "spy caught",
    "verdicts/all": "verdicts right",
    "false denied/all": "false denied",
    "false denied/things": "… things",
    "false denied/counts": "… counts",
    "false denied/relations": "… relations",
    "lists/objects right": "objects listed right",
    "replies/reasoned": "reasoned votes",
    "replies/words": "words a vote",
    "wins/as civilians": "wins as civilians",
    "wins/as spy": "wins as spy",
    "wins/both": "wins, both sides",
    "wins sampled/both": "wins, sampled",
    "wins/against the rule": "against the rule",
    **{f"wins/against {name}": f"against {name}" for name in get_args(ScriptedName)},
    "questions/all": "scene questions",
    "answers/reasoned": "reasoned answers",
    "clues/true": "true clues",
    "clues/telling": "telling clues",
    "clues/attributes": "attributes a clue",
    "clues/duplicates": "repeated clues",
    "clues/unreadable": "unreadable clues",
}
"""Measures of a run's summary, in its order, by the words used for them."""


def sense(name: str) -> Literal["good", "bad"] | None:
    """Is higher better? None for neither."""
    plain = name.partition(" (")[0]
    if plain.endswith(NEUTRAL):
        return None
    return "bad" if plain.endswith(BAD) else "good"


def is_share(name: str) -> bool:
    """Is it a share, shown in percent?"""
    return not name.endswith(NUMBERS)


def in_domain(name: str, domain: str) -> str:
    """What a measure is called on the pairs of one domain."""
    return f"{name} ({domain})"
