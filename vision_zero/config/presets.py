"""Named sets of values that a self-play configuration can start from; ``docs/presets.md`` lists them, and the differences of
nano.

``paper`` and ``paper_v2`` are for reproduction: the paper's constants, including those that fail with a small model. ``lora``
and ``full`` are for training large models; the reason for each value that is not the paper's stands beside it. They were tried
with nano as far as possible (``docs/presets.md``), but not yet with a large model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_zero.config_base import merged

PAPER: Mapping[str, Any] = {
    "game": {
        "civilians": 3,
        "rounds": 2,
        "spy_image": "modified",
        "voters": "civilians",
        "prompt": "paper",
        "remember_reasoning": True,
    },
    "rewards": {
        "beta": 0.1,
        "lam": 0.1,
        "vote_right": 1.0,
        "vote_abstain": -0.5,
        "vote_wrong": -1.0,
        "baseline_decay": 0.95,
        "baseline_order": "update_first",
        "role_advantage": True,
    },
    "learning": {
        "iterations": 100,
        "games_per_iteration": 128,
        "learning_rate": 1e-5,
        "warmup": 0.1,
        "kl": 0.04,
        "votes_per_prompt": 8,
        "switch": {
            "rule": "threshold",
            "start": "decision",
            "decay": 0.95,
            "ema_init": "zero",
            "accuracy_to_clue": 0.9,
            "abstention_to_clue": 0.1,
            "error_to_decision": 0.4,
            "abstention_to_decision": 0.5,
            "min_iterations": 5,
            "patience": 20,
        },
    },
}
"""The constants of arXiv 2509.25541, whatever this project's defaults become."""
PAPER_V2: Mapping[str, Any] = merged(PAPER, {"game": {"spy_image": "blank"}})
"""Those of its second version (ICLR 2026): the spy sees a blank image, so that images need no edits."""

WORKING: Mapping[str, Any] = merged(
    PAPER,
    {
        "rewards": {
            # With three civilians, avoiding suspicion (λ) weighs three times as much for a civilian as catching the spy (β / 3):
            # with nano both roles ended with clues such as "a large thing", and nine of ten votes with N/A.
            "lam": 0.0,
            # Divided by its group's standard deviation, a single right vote among N/A votes weighs no more than a single wrong
            # one, although it gets 1.5 more than N/A and the other 0.5 less: it learns N/A unless half its votes are right.
            "vote_scale": "batch",
            # Advantages of clues are about β in size, a tenth of those of votes, but the KL coefficient is the same: relative to
            # them, it would be ten times as strong for clues.
            "unit_advantages": True,
        },
        "learning": {
            # With one shared Adam, the second moments from the votes make steps on clues too small, and the first moments from
            # the clues continue to act while votes are trained.
            "optimizer": "per_stage",
            "switch": {
                # Averages that start at 0 need 45 iterations of perfect votes to reach 0.9, and make every policy look bad in the
                # first clue stage, which then ends after min_iterations.
                "ema_init": "bias_corrected",
                # A stage lasts five to ten iterations here; an average over twenty (0.95) would mostly cover the previous stage.
                "decay": 0.8,
                # A policy that never reaches 0.9 gets five clue iterations of 25. A guess is right in 33 %; at 70 % the clues are
                # too easy for the voters …
                "accuracy_to_clue": 0.7,
                # … and with half of the votes wrong they are too hard. (With the paper's 0.4 the clue stage of a policy that is
                # right in 60 % would end after min_iterations.)
                "error_to_decision": 0.5,
                # Twice min_iterations: whatever the rates, each stage gets at least 30 of 100 iterations. With 20 one stage may
                # have 80, and the paper's gain comes from alternating.
                "patience": 10,
            },
        },
        "policy": {
            # The released code allows 1,024. A truncated reply has no move, and a truncated vote counts as wrong: a low limit
            # trains the policy to be short.
            "sampling": {"max_clue_tokens": 1024, "max_vote_tokens": 1024},
        },
    },
)
"""What ``lora`` and ``full`` have in common."""

# The paper's 1e-5 is for full fine-tuning. The best rate of an adapter is about ten times that, whatever its rank (LoRA Without
# Regret, Thinking Machines, 2025); nano's is a hundred times the paper's.
LORA: Mapping[str, Any] = merged(WORKING, {"learning": {"learning_rate": 1e-4}})
"""For adapters."""
FULL: Mapping[str, Any] = merged(WORKING, {"learning": {"learning_rate": 1e-5}, "policy": {"adapter": None}})
"""For full fine-tuning: the paper's rate."""
PRESETS: Mapping[str, Mapping[str, Any]] = {"paper": PAPER, "paper_v2": PAPER_V2, "lora": LORA, "full": FULL}
