"""Replies that depend on what is asked and not on who draws them: any number of processes then has the same global batch.

    python -m torch.distributed.run … -m tests.training.rehearsed FOLDER

is the library's worker with such replies.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vision_zero.game.interface import Reply
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed
from vision_zero.training import microbatches, worker

TOKENS = range(20, 80)
"""Ordinary tokens of the tiny policy's tokenizer."""
VOTES = ("\\boxed{1}", "\\boxed{2}", "\\boxed{3}", "\\boxed{N/A}", "yes")


def rehearse(patch: Callable[[object, str, object], None]) -> None:
    """Put the replies in place of sampling, and read those of each length in a pass of their own, however short they are."""
    patch(Policy, "reply", _reply)
    patch(microbatches, "PASS", 0)


def _draws(*names: str | int) -> np.random.Generator:
    return Seed(11).child(*names).generator()


def _reply(self, requests, seed):
    replies, times = [], Counter()
    for request in requests:
        asked = (request.game_id, request.seat, request.kind, request.round)
        draws = _draws(*asked, times[asked])
        times[asked] += 1
        tokens = tuple(int(token) for token in draws.choice(TOKENS, size=draws.integers(2, 7)))
        text = str(draws.choice(VOTES)) if request.kind == "vote" else f"\\boxed{{a cube {draws.integers(100)}}}"
        replies.append(Reply(text, tokens))
    return replies


if __name__ == "__main__":
    rehearse(setattr)
    worker.main(Path(sys.argv[1]))
