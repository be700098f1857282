"""A policy as the answerer of a benchmark: greedy unless told otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vision_zero.evaluation.benchmarks.benchmark import Messages
from vision_zero.randomness import Seed

if TYPE_CHECKING:
    from vision_zero.policy.policy import Policy


@dataclass(frozen=True)
class PolicyAnswerer:
    """Satisfies :class:`vision_zero.evaluation.benchmarks.runner.Answerer`.

    Attributes:
        name: what the records call the policy; two policies need two names.
        max_tokens: longest reply.
        greedy: take the likeliest token; False samples with the policy's own settings.
    """

    policy: Policy
    name: str
    max_tokens: int = 1024
    greedy: bool = True

    def answer(self, prompts: Sequence[Messages], seed: Seed) -> list[str]:
        """One reply for each chat, in order."""
        policy = replace(self.policy, greedy=self.greedy)
        return [completion.text for completion in policy.complete(prompts, self.max_tokens, seed)]
