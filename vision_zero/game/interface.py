"""What passes between a game and its players: a request for one seat, the reply to it, and the table that they sit at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from vision_zero.data.image_pair import ImagePair
from vision_zero.game.prompts import Role, SpokenClue
from vision_zero.game.transcript import MoveKind, Outcome, Transcript
from vision_zero.randomness import Seed
from vision_zero.text import well_formed


@dataclass(frozen=True, slots=True)
class Request:
    """A seat is asked to speak. The prompt and the picture are all that it may know; ``clues`` repeats what the prompt tells."""

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
    """What came back.

    Attributes:
        text: the reply's words, without the end token, as they can be written to files.
        tokens: the sampled token ids, with the end token if there is one; empty for scripted players.
        is_cut_off: the reply reached its length limit before its end.
    """

    text: str
    tokens: tuple[int, ...] = ()
    is_cut_off: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", well_formed(self.text))


class Players(Protocol):
    """Whoever answers requests: a policy, a scripted player, or several of them behind one door."""

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """One reply for each request, in order; the same seed and requests give the same replies."""
        ...


@dataclass(frozen=True, slots=True)
class GameState:
    """A dealt game: who sees what, and what has been said so far."""

    original: Image.Image
    spy_image: Image.Image
    transcript: Transcript


class Game(ABC):
    """A game that many tables can play in lockstep. Subclasses are final and hold rules only: tables carry all state."""

    @abstractmethod
    def deal(self, pair: ImagePair, seed: Seed) -> GameState:
        """Seat the players before a pair; the seed names the table."""

    @abstractmethod
    def turns(self, table: GameState) -> list[Request]:
        """Every seat that may speak now; none when the game is over."""

    @abstractmethod
    def hear(self, table: GameState, request: Request, reply: Reply) -> GameState:
        """The table after the reply to one of its ``turns``."""

    @abstractmethod
    def outcome(self, table: GameState) -> Outcome:
        """Facts about a finished game.

        Raises:
            GameError: the game is not over.
        """
