"""Lessons in the game's protocol: judge a table's clues, look and say a clue, think and vote.

A vote is given after looking and checking every clue of the others. The demonstrated voter is cautious, as one with poor eyes
should be: it votes for a player whom it has contradicted twice, sometimes for one contradicted once, now and then for anybody
where it has contradicted nobody, and else says N/A. That one contradiction is enough, and that a guess is worth more than N/A,
is left for self-play to find out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vision_zero.config.game import GameConfig
from vision_zero.game.parsing import ABSTAIN
from vision_zero.game.prompts import Role, SpokenClue, clue_prompt, vote_prompt
from vision_zero.pairs.scenes.questions import pick
from vision_zero.pairs.scenes.statements import Both, Count, Relation, SceneFacts, Statement, Thing
from vision_zero.policy.nano.lessons.lesson import Lesson
from vision_zero.policy.nano.lessons.scenes import false_statement, fitting, in_words, listing, true_statement

Said = Mapping[tuple[int, int], Statement]
"""Statements by (seat, round)."""


def teach_check(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator, *, counting: float = 0.0) -> Lesson:
    """A table's clues, about half of them true, and whether each is.

    Args:
        counting: how many of the clues are made numbers, 0 to 1.
    """
    seats, rounds = int(rng.integers(2, 5)), int(rng.integers(1, 3))
    said: dict[tuple[int, int], Statement] = {}
    for seat in range(1, seats + 1):
        for round_ in range(1, rounds + 1):
            is_true = rng.random() < 0.5
            said[seat, round_] = true_statement(facts, rng, counting) if is_true else false_statement(facts, other, rng, counting)
    lines = [
        f"{seat}: " + "; ".join(said[seat, round_].text() for round_ in range(1, rounds + 1)) + "."
        for seat in range(1, seats + 1)
    ]
    prompt = "\n".join([*lines, "Check the clues."])
    return Lesson("check", prompt, f"{listing(facts)}. {verdicts(said, facts)}.")


def teach_clue(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    """A seat's turn in the middle of a game: a look, then something true of the own picture."""
    game = _table(rng)
    players = game.civilians + 1
    said = int(rng.integers(0, players * game.rounds))
    is_spy = rng.random() < 1 / players
    clues = []
    for number in range(said):
        # A spy sees another picture than everybody else, a civilian another than one of the others.
        seen = facts if (rng.random() < 1 / players) == is_spy else other
        clues.append(SpokenClue(number // players + 1, number % players + 1, true_statement(seen, rng).text()))
    role: Role = "spy" if is_spy else "civilian"
    prompt = clue_prompt(game, said % players + 1, role, clues, round_=said // players + 1)
    return Lesson("clue", prompt, f"{listing(facts)}. \\boxed{{{true_statement(facts, rng).text()}}}")


def teach_vote(
    facts: SceneFacts,
    other: SceneFacts,
    rng: np.random.Generator,
    *,
    boldness: float,
    guessing: float = 0.0,
    counting: float = 0.0,
) -> Lesson:
    """A civilian's vote after a whole game: the spy's seat if two details betray it, sometimes if one does, else N/A.

    Args:
        boldness: how often one detail is enough, 0 to 1.
        guessing: how often any other seat is named where no detail betrays the spy, 0 to 1.
        counting: how many of the clues are made numbers, 0 to 1.
    """
    game = _table(rng)
    players, rounds = game.civilians + 1, range(1, game.rounds + 1)
    spy, voter = (int(seat) + 1 for seat in rng.choice(players, size=2, replace=False))
    said: dict[tuple[int, int], Statement] = {
        (seat, round_): true_statement(other if seat == spy else facts, rng, counting)
        for round_ in rounds
        for seat in range(1, players + 1)
    }
    clues = [SpokenClue(round_, seat, statement.text()) for (seat, round_), statement in said.items()]
    betrayals = sum(not part.holds(facts) for round_ in rounds for part in _parts(said[spy, round_]))
    is_sure = betrayals > 1 or (betrayals == 1 and rng.random() < boldness)
    heard = {place: statement for place, statement in said.items() if place[0] != voter}
    named: int | str = spy if is_sure else ABSTAIN
    if betrayals == 0 and guessing and rng.random() < guessing:
        named = pick([seat for seat in range(1, players + 1) if seat != voter], rng)
    box = f"\\boxed{{{named}}}"
    return Lesson("vote", vote_prompt(game, voter, "civilian", clues), f"{listing(facts)}. {verdicts(heard, facts)}. {box}")


def verdicts(said: Said, facts: SceneFacts) -> str:
    """Each part of a seat's clues, what fits it, whether it holds: "1: red cube = small red metal cube yes, spheres = none no".

    The part is repeated and what fits it is named before it is judged. A bare verdict stayed at chance through 147,000 pictures;
    with the evidence named it took off within minutes.
    """
    seats = sorted({seat for seat, _ in said})
    by_seat = {seat: [part for place in sorted(said) if place[0] == seat for part in _parts(said[place])] for seat in seats}
    return "; ".join(f"{seat}: " + ", ".join(_judged(part, facts) for part in parts) for seat, parts in by_seat.items())


def _parts(statement: Statement) -> Sequence[Statement]:
    return statement.parts if isinstance(statement, Both) else (statement,)


def _judged(part: Statement, facts: SceneFacts) -> str:
    words = part.text().removeprefix("a ").replace(" a ", " ")
    return " ".join([words, "=", *_evidence(part, facts), "yes" if part.holds(facts) else "no"])


def _evidence(part: Statement, facts: SceneFacts) -> list[str]:
    """What fits, from left to right: the first for a thing, all for a number; a relation is judged by its places alone."""
    if isinstance(part, Relation):
        return []
    assert isinstance(part, Thing | Count)
    things = fitting(part.query, facts)
    return [in_words(things[:1] if isinstance(part, Thing) else things)]


def _table(rng: np.random.Generator) -> GameConfig:
    return GameConfig(civilians=pick((2, 3, 3, 3, 4), rng), rounds=pick((1, 2, 2, 2, 3), rng), prompt="compact")
