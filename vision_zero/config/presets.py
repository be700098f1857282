"""Named sets of values that a self-play configuration can start from; ``docs/presets.md`` lists them and where nano differs.

``paper`` and ``paper_v2`` are for reproduction: they hold the paper's constants, also those that fail in a small model. ``lora``
and ``full`` are for work: the recipes of large models start from them, and the reason for each value that is not the paper's
stands beside it. What nano could measure of them is in ``docs/presets.md``; on a large model none of it was tried yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_zero.config.base import merged

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
"""Those of its second version (ICLR 2026): the spy sees an empty picture, so that any pictures will do and none is edited."""

WORKING: Mapping[str, Any] = merged(
    PAPER,
    {
        "rewards": {
            # With three civilians, not to be suspected (λ) weighs three times as much for one of them as catching the spy
            # (β / 3): in nano both roles ended in clues such as "a large thing", and nine of ten votes in N/A.
            "lam": 0.0,
            # Divided by its group's deviation a lone right vote among N/A weighs no more than a lone wrong one, although it earns
            # 1.5 more than N/A and the other 0.5 less: voting pays only where half of the votes are right, and N/A is a trap.
            "vote_scale": "batch",
            # Advantages of clues are about β in size, a tenth of those of votes, and the KL is the same for both: it would hold
            # the clues ten times as strongly.
            "unit_advantages": True,
        },
        "learning": {
            # Under one Adam the squared gradients of the votes make the steps on clues small, and its momentum goes on moving
            # clues when votes are trained.
            "optimizer": "per_stage",
            "switch": {
                # Averages that start at 0 take 45 iterations of perfect votes to 0.9, and call every policy bad in the first clue
                # stage, which then ends as soon as it may.
                "ema_init": "bias_corrected",
                # A stage lasts five to ten iterations here; an average over twenty (0.95) would mostly be of the stage before.
                "decay": 0.8,
                # 0.9 may never be reached, and then clues get five iterations of 25. A blind guess is right in 33 %: at 70 % the
                # voters are ahead of the clues …
                "accuracy_to_clue": 0.7,
                # … and where half of the votes are wrong the clues are ahead of them. (The paper's 0.4 would end the clue stage
                # of a policy that is right in 60 % as soon as it may.)
                "error_to_decision": 0.5,
                # Twice min_iterations: whatever the rates, each stage gets at least 30 of 100 iterations. Alternating is what the
                # paper gains by, and with 20 one stage may have 80.
                "patience": 10,
            },
        },
        "policy": {
            # The released code allows 1,024. A reply that is cut holds no move: a vote then counts as wrong, and the policy is
            # taught to be short.
            "sampling": {"max_clue_tokens": 1024, "max_vote_tokens": 1024},
        },
    },
)
"""What the presets for work have in common, whatever is trained."""

# The paper's 1e-5 is for all weights. An adapter's best rate is about ten times that of all weights, whatever its rank (LoRA
# Without Regret, Thinking Machines, 2025), and nano's is a hundred times as high.
LORA: Mapping[str, Any] = merged(WORKING, {"learning": {"learning_rate": 1e-4}})
"""For adapters."""
FULL: Mapping[str, Any] = merged(WORKING, {"learning": {"learning_rate": 1e-5}, "policy": {"adapter": None}})
"""For all weights: the paper's rate."""
PRESETS: Mapping[str, Mapping[str, Any]] = {"paper": PAPER, "paper_v2": PAPER_V2, "lora": LORA, "full": FULL}
