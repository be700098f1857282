"""Named sets of values that a self-play configuration can start from; ``docs/presets.md`` lists them and where nano differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
PRESETS: Mapping[str, Mapping[str, Any]] = {"paper": PAPER}
