r"""Parsing of the checks that a voter writes before it votes: its verdict on each statement of the other seats.

The embedded policy's votes name a seat and judge its statements in order, bare or with what was found of each:

    So: 1: yes; 2: no, yes. \boxed{2}
    I see: small red metal cube. 1: red cube = small red metal cube yes; 2: spheres = none no, cubes = ... yes. \boxed{2}

Nothing here looks at an image or asks a model: these are functions of a reply's text. Models that reason in free sentences
write no such checks, and nothing is guessed about them: :func:`writes_checks` says so, and what is measured of checks then has no
units.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vision_zero.game.parsing import BOX
from vision_zero.game.transcript import Move, Transcript
from vision_zero.randomness import Seed, most_of

MOST = 0.5
"""At least this share of a policy's replies must have the form that is measured, else nothing is measured of the form."""
_SEAT = re.compile(r"(?:^|(?<=[.;:\n]))[ \t]*(\d{1,2}):([^.;\n]*)")


@dataclass(frozen=True, slots=True)
class Check:
    """What a reply says of one statement.

    Attributes:
        seat: whose statement it is, and ``place`` which of that seat's, from 0.
        holds: the verdict; None where the words are no verdict.
        has_evidence: the statement is repeated with what was found of it.
    """

    seat: int
    place: int
    holds: bool | None
    has_evidence: bool


def read_checks(reply: str) -> tuple[Check, ...]:
    """All checks of a vote's reply, in order; a seat that is named again goes on with its statements."""
    found: list[Check] = []
    counted: dict[int, int] = {}
    for seat_text, listed in _SEAT.findall(reply.rpartition(BOX)[0] if BOX in reply else reply):
        seat = int(seat_text)
        for words in listed.split(","):
            found.append(_check(seat, counted.get(seat, 0), words.lower().split()))
            counted[seat] = counted.get(seat, 0) + 1
    return tuple(found)


def writes_checks(replies: Iterable[str]) -> bool:
    """Do most of these replies to votes hold a check that can be read?"""
    return is_habit(any(check.holds is not None for check in read_checks(reply)) for reply in replies)


def is_habit(claims: Iterable[bool]) -> bool:
    """Do most of them hold?"""
    listed = list(claims)
    return bool(listed) and sum(listed) / len(listed) >= MOST


def is_reasoned(reply: str, prefix: str | None) -> bool:
    """Does the reply begin with the words of reasoned ones, or name the evidence of a check?"""
    begins = prefix is not None and reply.lstrip().startswith(prefix)
    return begins or any(check.has_evidence for check in read_checks(reply))


def rule_vote(reply: str, others: Sequence[int], rng: np.random.Generator) -> int:
    """The seat, of the ``others``, with most statements that the reply denies; among those that tie, a guess."""
    denied = dict.fromkeys(others, 0)
    for check in read_checks(reply):
        if check.holds is False and check.seat in denied:
            denied[check.seat] += 1
    return most_of(denied, rng)


def rule_votes(transcripts: Sequence[Transcript], seed: Seed) -> list[Transcript] | None:
    """The games with each vote replaced by what the rule makes of its reply; None where most replies hold no checks."""
    if not writes_checks(move.reply for transcript in transcripts for move in transcript.votes):
        return None
    ruled = []
    for transcript in transcripts:
        votes = []
        for number, move in enumerate(transcript.votes):
            rng = seed.child(transcript.game_id, number).generator()
            votes.append(replace(move, vote=rule_vote(move.reply, others(move, transcript), rng), unreadable=None))
        ruled.append(with_votes(transcript, votes))
    return ruled


def others(move: Move, transcript: Transcript) -> list[int]:
    """The seats that a voter may suspect: all but its own."""
    return [seat for seat in range(1, transcript.players + 1) if seat != move.seat]


def with_votes(transcript: Transcript, votes: Collection[Move]) -> Transcript:
    """The game with these votes instead of its own."""
    return replace(transcript, moves=(*transcript.clue_moves, *votes))


def _check(seat: int, place: int, words: Sequence[str]) -> Check:
    """``yes`` or ``no`` alone, or after a statement, an equals sign and what was found; anything else is no verdict."""
    *before, verdict = words or [""]
    statement, equals, _ = " ".join(before).partition("=")
    is_read = verdict in ("yes", "no") and (not before or bool(equals and statement.strip()))
    return Check(seat, place, verdict == "yes" if is_read else None, is_read and bool(before))
