r"""Forced choice: the vote of each voter if N/A were not allowed.

A reply is sampled as usual. If it names a seat, that is the choice. If it ends in N/A or is unreadable, its text before the
last ``\boxed{`` are kept (all of them where it has none), and the choice is the seat that the policy would most likely write
after them, of all seats but the voter's own (:meth:`vision_zero.policy.policy.Policy.likeliest`). So a habit of saying N/A
neither helps nor harms: what counts is whom the voter suspects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vision_zero.evaluation.written_checks import others, with_votes
from vision_zero.game.interface import GameState, Request
from vision_zero.game.parsing import BOX
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Move, Transcript
from vision_zero.policy.chats import user_message
from vision_zero.policy.policy import Policy


def forced_choices(game: WhoIsTheSpy, states: Sequence[GameState], voters: Policy) -> list[Transcript]:
    """The games with every vote that named nobody replaced by the seat that its voter thinks likeliest.

    Args:
        states: games to their end, whose votes these voters cast.
    """
    waiting = [
        (number, place, move, request)
        for number, state in enumerate(states)
        for place, (request, move) in enumerate(zip(_asked(game, state), state.transcript.votes, strict=True))
        if move.vote is None
    ]
    seats = [others(move, states[number].transcript) for number, _, move, _ in waiting]
    chosen = voters.likeliest(
        [user_message(request.prompt, request.image) for *_, request in waiting],
        [up_to_the_box(move.reply) for _, _, move, _ in waiting],
        [[f"{seat}}}" for seat in allowed] for allowed in seats],
    )
    votes: list[list[Move]] = [list(state.transcript.votes) for state in states]
    for (number, place, move, _), allowed, choice in zip(waiting, seats, chosen, strict=True):
        votes[number][place] = replace(move, vote=allowed[choice], unreadable=None)
    return [with_votes(state.transcript, own) for state, own in zip(states, votes, strict=True)]


def up_to_the_box(reply: str) -> str:
    r"""A reply's words before its last ``\boxed{``, all of them where it has none, and then an open box."""
    reasoning, box, _ = reply.rpartition(BOX)
    if box:
        return reasoning + BOX
    words = reply.rstrip()
    return f"{words} {BOX}" if words else BOX


def _asked(game: WhoIsTheSpy, state: GameState) -> list[Request]:
    return game.turns(replace(state, transcript=with_votes(state.transcript, ())))
