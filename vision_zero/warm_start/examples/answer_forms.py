"""The two ways in which every lesson but a list is answered: directly, or reasoned.

A direct answer gives the answer at once. A reasoned one says what the picture shows, names for each thing to be decided what is
found of it, and then answers:

    direct      So: \\boxed{one}
    reasoned    I see: small red metal cube, large blue rubber sphere. cubes = small red metal cube. \\boxed{one}

Each form opens with words of its own, the same whatever is asked, as chat models open a thought with a tag: so to reason is one
habit and not one for each kind of question, and what play strengthens in votes can carry over to questions that are never played.
Reasoned answers are right far more often. Which of the two pays is for self-play to find out; a lesson's form is drawn by the
phase's share, so that the policy holds both.
"""

from __future__ import annotations

from collections.abc import Sequence

from vision_zero.config.nano_defaults import NANO_REASONING

OPENER = NANO_REASONING
"""How every reasoned reply begins …"""
DIRECT = "So:"
"""… and every direct one."""


def reasoned_reply(look: str, evidence: Sequence[str], answer: str) -> str:
    """``I see: <look>. <evidence>. <answer>``; without evidence that sentence is left out."""
    return ". ".join([f"{OPENER} {look}", *[", ".join(evidence)] * bool(evidence), answer])


def direct_reply(answer: str) -> str:
    """``So: <answer>``."""
    return f"{DIRECT} {answer}"


def boxed(answer: object) -> str:
    """The answer as replies give it: ``\\boxed{answer}``."""
    return f"\\boxed{{{answer}}}"
