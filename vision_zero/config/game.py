"""Settings of the game: who sits at the table, who sees what, who votes, and how they are spoken to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vision_zero.config.base import Config

SpyImage = Literal["modified", "blank", "identical"]


class GameConfig(Config):
    """Rules of "Who is the spy?"; the defaults are the paper's (v1)."""

    civilians: int = Field(3, ge=2, le=15)
    """Players who see the original; one spy sits with them."""
    rounds: int = Field(2, ge=1, le=8)
    """Clue rounds before the vote."""
    spy_image: SpyImage = "modified"
    """What the spy sees: the modified picture (paper v1), an empty one (ICLR version), or the original (noise test)."""
    voters: Literal["civilians", "judge"] = "civilians"
    """Who votes: every civilian once, or one observer of the original who is asked ``judge_votes`` times (released code)."""
    judge_votes: int = Field(3, ge=1, le=64)
    """Votes of the judge, where there is one."""
    prompt: Literal["paper", "compact"] = "paper"
    """Wording: the paper's full rules, or the short form that the embedded policy was raised on."""
    remember_reasoning: bool = True
    """A player's prompt repeats its own earlier private reasoning (paper); off saves prompt tokens."""
    name_silent: bool | None = None
    """The vote's prompt names the seats of whom no clue could be read. Null: as the wording has it, named in ``compact`` and left
    out in ``paper``."""
    max_clue_characters: int = Field(240, ge=20, le=4000)
    """A longer clue is cut: it goes into everybody's prompt."""
    max_reasoning_characters: int = Field(1200, ge=0, le=20000)
    """Longer own reasoning is cut, from the front, before it is repeated to its author."""

    @property
    def names_silent(self) -> bool:
        """Does the vote's prompt name seats that said nothing?"""
        return self.prompt == "compact" if self.name_silent is None else self.name_silent

    @property
    def votes(self) -> int:
        """Votes that end a game."""
        return self.civilians if self.voters == "civilians" else self.judge_votes
