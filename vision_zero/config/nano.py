"""How the embedded policy is played wherever no recipe says otherwise; ``configs/self_play/nano.yaml`` says the same."""

from __future__ import annotations

from vision_zero.config.game import GameConfig
from vision_zero.config.policy import SamplingConfig

NANO_GAME = GameConfig(prompt="compact", remember_reasoning=False)
"""Short prompts, which it was raised on."""
NANO_SAMPLING = SamplingConfig(temperature=0.5, max_clue_tokens=48, max_vote_tokens=192, batch_size=128)
"""192 tokens hold the check of all but one in a hundred games of four; a longer reply is babble and costs time."""
