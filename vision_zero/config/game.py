"""Settings of the game: players, images, voters and prompts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config_base import Config

SpyImage = Literal["modified", "blank", "identical"]


class GameConfig(Config):
    """Rules of "Who is the spy?"; the defaults are the paper's (v1)."""

    civilians: int = Field(3, ge=2, le=15)
    """Players that see the original image; there is one spy."""
    rounds: int = Field(2, ge=1, le=8)
    """Clue rounds before the vote."""
    spy_image: SpyImage = "modified"
    """The spy's image: the modified one (paper v1), a blank one (ICLR version), or the original (noise test)."""
    voters: Literal["civilians", "judge"] = "civilians"
    """Who votes: every civilian once, or one observer of the original image, sampled ``judge_votes`` times (released code)."""
    judge_votes: int = Field(3, ge=1, le=64)
    """Votes under ``voters: judge``."""
    prompt: Literal["paper", "compact"] = "paper"
    """Prompt: the paper's full rules, or the short form that the embedded policy was trained on."""
    remember_reasoning: bool = True
    """Repeat a player's own earlier reasoning in its prompt (paper); off saves prompt tokens."""
    name_silent: bool | None = None
    """Name players without a readable clue in the prompt of a vote. Null: true for ``prompt: compact``, false for ``paper``."""
    max_clue_characters: int = Field(240, ge=20, le=4000)
    """Longer clues are truncated, since they go into every player's prompt."""
    max_reasoning_characters: int = Field(1200, ge=0, le=20000)
    """Longer reasoning is truncated from the front before it is repeated in its author's prompt."""

    @property
    def names_silent(self) -> bool:
        """Whether the prompt of a vote names players without a readable clue."""
        return self.prompt == "compact" if self.name_silent is None else self.name_silent

    @property
    def votes(self) -> int:
        """Votes in a game."""
        return self.civilians if self.voters == "civilians" else self.judge_votes
