"""Default game, scenes and sampling of the embedded policy.

``configs/self_play/nano.yaml`` has the same values, except for a higher temperature of votes during training.
"""

from __future__ import annotations

from vision_zero.config.game import GameConfig
from vision_zero.config.policy import NANO, SamplingConfig
from vision_zero.domains.scenes.config import SMALL_SCENES

NANO_DOMAIN = "scenes"
"""The domain it was trained on …"""
NANO_SCENES = SMALL_SCENES
"""… and its settings."""

NANO_GAME = GameConfig(prompt="compact", remember_reasoning=False)
"""The short prompts that it was trained on."""
NANO_REASONING = "I see:"
"""The prefix of its reasoned replies."""
NANO_SAMPLING = SamplingConfig(temperature=0.5, max_clue_tokens=80, max_vote_tokens=224, batch_size=128)
"""The token limits cover 99 % of the reasoned clues and votes in its SFT data for four players."""


def reasoning_prefix(given: str | None, base: str) -> str | None:
    """The prefix of a base's reasoned replies: the given one, else that of the embedded policy, else None."""
    return NANO_REASONING if given is None and base == NANO else given
