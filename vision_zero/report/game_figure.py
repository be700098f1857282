"""A game as one image: the two images of the pair, clues, votes and rewards."""

from __future__ import annotations

from textwrap import shorten

from matplotlib.figure import Figure

from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.game.transcript import Move, Transcript
from vision_zero.rewards.clue import clue_totals

WIDTH, LINE = 10.0, 0.27
"""Width of the figure, and height of a line of text, in inches."""
SPY, CIVILIAN = "#b3261e", "#1f4e79"
LONGEST = 78
"""Characters in a line."""


def draw_game(transcript: Transcript, pair: ImagePair, rewards: RewardsConfig) -> Figure:
    """A figure with the two images, the clues by round, the votes, and the clue rewards."""
    lines = [*_clues(transcript), ("", ""), *_votes(transcript), ("", ""), *_rewards(transcript, rewards)]
    images = 3.1
    height = images + LINE * (len(lines) + 1)
    figure = Figure(figsize=(WIDTH, height), dpi=110, facecolor="white")
    share = images / height
    sides = (("The civilians see", pair.original, CIVILIAN, 0.06), ("The spy sees", pair.modified, SPY, 0.54))
    for title, image, color, left in sides:
        axes = figure.add_axes((left, 1 - share * 0.98, 0.4, share * 0.86))
        axes.imshow(image, interpolation="lanczos")
        axes.set_axis_off()
        axes.set_title(title, color=color, fontsize=12, fontweight="bold")
    for number, (text, color) in enumerate(lines):
        place = 1 - share - (number + 1) * LINE / height
        figure.text(0.06, place, text, color=color or "black", family="DejaVu Sans", fontsize=10.5)
    return figure


def _clues(transcript: Transcript) -> list[tuple[str, str]]:
    return [
        (_short(f"round {move.round}   {_name(transcript, move.seat)}:  {move.clue or 'said nothing readable'}"), _color(move))
        for move in transcript.clue_moves
    ]


def _votes(transcript: Transcript) -> list[tuple[str, str]]:
    return [(f"{_name(transcript, move.seat)} votes for {_choice(transcript, move)}", _color(move)) for move in transcript.votes]


def _rewards(transcript: Transcript, rewards: RewardsConfig) -> list[tuple[str, str]]:
    earned = clue_totals(transcript, rewards)
    return [
        ("rewards of the clues:  " + "   ".join(f"player {seat} {reward:+.3f}" for seat, reward in sorted(earned.items())), "")
    ]


def _choice(transcript: Transcript, move: Move) -> str:
    if move.vote is not None:
        return _name(transcript, move.vote) + (", rightly" if move.vote == transcript.spy else ", wrongly")
    return "nobody (N/A)" if move.is_abstention else f"nobody: unreadable ({move.unreadable})"


def _name(transcript: Transcript, seat: int) -> str:
    return f"player {seat}" + (" (spy)" if seat == transcript.spy else "")


def _color(move: Move) -> str:
    return SPY if move.role == "spy" else CIVILIAN


def _short(text: str) -> str:
    # Escape dollar signs, which start math text in matplotlib: model output is never markup.
    return shorten(text, LONGEST, placeholder=" …").replace("$", r"\$")
