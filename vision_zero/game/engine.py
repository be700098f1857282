"""The rollout engine: games advance in lockstep, one batched call to the players per turn, however many games there are."""

from __future__ import annotations

from collections.abc import Sequence

from vision_zero.data.image_pair import ImagePair
from vision_zero.errors import GameError
from vision_zero.game.interface import GameState, Players, Reply, Request
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.randomness import Seed


def deal_all(game: WhoIsTheSpy, pairs: Sequence[ImagePair], seed: Seed) -> list[GameState]:
    """One game per pair. A game's seed is named by its position, so a longer list begins with the same games."""
    return [game.deal(pair, seed.child("table", number)) for number, pair in enumerate(pairs)]


def play(game: WhoIsTheSpy, states: Sequence[GameState], players: Players, seed: Seed) -> list[GameState]:
    """Play all games to the end. An unreadable reply is a recorded move, never an exception.

    Returns:
        The finished games, in order.
    """
    return play_recorded(game, states, players, seed)[0]


def play_recorded(
    game: WhoIsTheSpy, states: Sequence[GameState], players: Players, seed: Seed
) -> tuple[list[GameState], list[tuple[Request, Reply]]]:
    """Like :func:`play`, and also every request with its reply in the order of the calls, which is what training needs."""
    current = list(states)
    record: list[tuple[Request, Reply]] = []
    turn = 0
    while waiting := [(number, request) for number, state in enumerate(current) for request in game.turns(state)]:
        requests = [request for _, request in waiting]
        replies = players.reply(requests, seed.child("turn", turn))
        if len(replies) != len(requests):
            raise GameError(f"{len(requests)} seats were asked and {len(replies)} replies came back")
        for (number, request), reply in zip(waiting, replies, strict=True):
            current[number] = game.hear(current[number], request, reply)
            record.append((request, reply))
        turn += 1
    return current, record
