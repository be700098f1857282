"""Small objects for tests: games with given votes, pairs with given scenes, policies with random weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import Image

from vision_zero.config.pairs import ScenesConfig
from vision_zero.game.transcript import Move, Transcript
from vision_zero.pairs.image_pair import ImagePair
from vision_zero.pairs.scenes.source import SceneSource
from vision_zero.randomness import Seed

SMALL_SCENES = ScenesConfig(width=112, height=112, extent=2.0, zoom=1.5, min_visible_share=0.4)


def vote(seat: int, choice: int | str | None) -> Move:
    """A vote for a seat, for nobody (None), or unreadable for a reason (a string)."""
    reason = choice if isinstance(choice, str) else None
    target = choice if isinstance(choice, int) else None
    return Move(seat, "civilian", "vote", 0, "prompt", "reply", "", vote=target, unreadable=reason)


def clue(seat: int, role: str, text: str, round_: int = 1, reasoning: str = "") -> Move:
    return Move(seat, role, "clue", round_, "prompt", f"{reasoning} \\boxed{{{text}}}", reasoning, clue=text, tokens=5)


def game(players: int, spy: int, votes: dict[int, int | str | None], clues: tuple[Move, ...] = (), name: str = "g") -> Transcript:
    """A transcript with these votes by voter."""
    moves = (*clues, *(vote(seat, choice) for seat, choice in votes.items()))
    return Transcript(game_id=f"game-{name}", pair_id=f"pair-{name}", players=players, spy=spy, moves=moves)


@cache
def scene_pairs(count: int, seed: int = 0) -> tuple[ImagePair, ...]:
    """Real 112x112 scene pairs, drawn once a test session."""
    source = SceneSource(SMALL_SCENES)
    return tuple(source.sample(Seed(seed).child("test", number)) for number in range(count))


def plain_pair(name: str = "plain", size: tuple[int, int] = (16, 16)) -> ImagePair:
    """A pair of two plain pictures: for tests that need no content."""
    return ImagePair(name, "imported", Image.new("RGB", size, (200, 30, 30)), Image.new("RGB", size, (30, 30, 200)), (), {}, {})


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
