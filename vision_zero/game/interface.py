"""The interface between a game and its players: the request to one seat, the reply to it, and the state of a game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from vision_zero.game.prompts import Role, SpokenClue
from vision_zero.game.transcript import MoveKind, Transcript
from vision_zero.randomness import Seed
from vision_zero.text import well_formed


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one move. The seat may know only the prompt and the image; ``clues`` repeats the clues in the prompt."""

    game_id: str
    seat: int
    role: Role
    kind: MoveKind
    round: int
    prompt: str
    image: Image.Image
    clues: tuple[SpokenClue, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a request.

    Attributes:
        text: the decoded reply without the end token, well-formed so that files can hold it.
        tokens: the token ids, with those of a prefix that it was made to begin with, and the end token if there is one; empty for
            scripted players.
        is_cut_off: the reply reached the token limit before an end token.
        log_probs: the log-probability of each token when it was sampled; empty unless a server sampled it, without a prefix.
    """

    text: str
    tokens: tuple[int, ...] = ()
    is_cut_off: bool = False
    log_probs: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", well_formed(self.text))


class Players(Protocol):
    """Anything that answers requests: a policy, a scripted player, or a combination of several."""

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """One reply for each request, in order; the same seed and requests give the same replies."""
        ...


@dataclass(frozen=True, slots=True)
class GameState:
    """The state of one game: the images by role, and the transcript so far."""

    original: Image.Image
    spy_image: Image.Image
    transcript: Transcript
