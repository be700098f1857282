"""The two ways in which every lesson but a list is answered: directly, or reasoned.

A direct answer is the bare answer. A reasoned one opens with the same words whatever is asked, says what the picture shows, names
for each thing to be decided what is found of it, and then answers:

    direct      \\boxed{2}
    reasoned    I see: small red metal cube, large blue rubber sphere. cubes = small red metal cube. \\boxed{one}

Reasoned answers are right far more often. Which of the two pays is for self-play to find out; a lesson's form is drawn by the
phase's share, so that the policy holds both.
"""

from __future__ import annotations

from collections.abc import Sequence

from vision_zero.config.nano import NANO_REASONING

OPENER = NANO_REASONING
"""How every reasoned reply begins; no direct one does."""


def reasoned_reply(look: str, evidence: Sequence[str], answer: str) -> str:
    """``I see: <look>. <evidence>. <answer>``; without evidence that sentence is left out."""
    return ". ".join([f"{OPENER} {look}", *[", ".join(evidence)] * bool(evidence), answer])


def box(answer: object) -> str:
    """The answer as replies give it: ``\\boxed{answer}``."""
    return f"\\boxed{{{answer}}}"
