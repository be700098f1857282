"""How the embedded policy is played wherever no recipe says otherwise.

``configs/self_play/nano.yaml`` says the same, but for hotter votes, which are for learning.
"""

from __future__ import annotations

from vision_zero.config.game import GameConfig
from vision_zero.config.pairs import ScenesConfig
from vision_zero.config.policy import NANO, SamplingConfig

NANO_SCENES = ScenesConfig(width=112, height=112, min_objects=3, max_objects=5, extent=2.0, zoom=1.5, min_visible_share=0.4)
"""What it was raised on: small pictures, fewer objects than the paper's, framed closer."""

NANO_GAME = GameConfig(prompt="compact", remember_reasoning=False)
"""Short prompts, which it was raised on."""
NANO_REASONING = "I see:"
"""How its reasoned replies begin."""
NANO_SAMPLING = SamplingConfig(temperature=0.5, max_clue_tokens=80, max_vote_tokens=224, batch_size=128)
"""They hold all but one in a hundred of the reasoned clues and votes that it was shown for four players; more costs time."""


def reasoning_prefix(given: str | None, base: str) -> str | None:
    """How reasoned replies of a base begin: as the settings say, or as is known of the embedded policy."""
    return NANO_REASONING if given is None and base == NANO else given
