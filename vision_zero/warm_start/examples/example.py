"""A training example, and the two forms of its answer.

Answers to all prompts except lists are direct or reasoned. A direct answer gives the answer at once. A reasoned one lists the
image, gives the evidence for each point, and then answers:

    direct      So: \\boxed{one}
    reasoned    I see: small red metal cube, large blue rubber sphere. cubes = small red metal cube. \\boxed{one}

Each form begins with its own prefix, the same in all prompts, like the tags of reasoning in chat models. So reasoning is one
choice for all kinds of prompts, and what votes reinforce can transfer to questions that are never played. Reasoned answers are
right far more often, which self-play has to find out; the form of an example is random with the phase's share, so that the policy
has both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_zero.config.nano_defaults import NANO_REASONING

DIRECT = "So:"
"""Prefix of direct replies; that of reasoned ones is ``NANO_REASONING``."""


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt about one image with its answer; ``topic`` names the skill in logs."""

    topic: str
    prompt: str
    answer: str


def form(reasoned: bool) -> str:
    """The name of an answer's form, for logs."""
    return "reasoned" if reasoned else "direct"


def reasoned_reply(look: str, evidence: Sequence[str], answer: str) -> str:
    """``I see: <look>. <evidence>. <answer>``; empty evidence is left out."""
    return ". ".join([f"{NANO_REASONING} {look}", *[", ".join(evidence)] * bool(evidence), answer])


def direct_reply(answer: str) -> str:
    """``So: <answer>``."""
    return f"{DIRECT} {answer}"


def boxed(answer: object) -> str:
    """The answer in its box: ``\\boxed{answer}``."""
    return f"\\boxed{{{answer}}}"
