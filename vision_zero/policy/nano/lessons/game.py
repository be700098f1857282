"""Lessons in the game's protocol: judge a table's clues, look and say a clue, think and vote.

Votes are demonstrated in three manners: at once, after checking every clue, and after looking and checking. The demonstrations
are all right; which manner pays is left for self-play to find out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vision_zero.config.game import GameConfig
from vision_zero.game.parsing import ABSTAIN
from vision_zero.game.prompts import Role, SpokenClue, clue_prompt, vote_prompt
from vision_zero.pairs.scenes.questions import pick
from vision_zero.pairs.scenes.statements import SceneFacts, Statement
from vision_zero.policy.nano.lessons.lesson import Lesson, draw
from vision_zero.policy.nano.lessons.scenes import false_statement, glance, listing, true_statement

Said = Mapping[tuple[int, int], Statement]
"""Statements by (seat, round)."""
MANNERS: Mapping[str, float] = {"at once": 0.5, "check": 0.3, "look and check": 0.2}


def teach_check(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    """A table's clues, about two thirds of them true, and whether each is."""
    seats, rounds = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    said: dict[tuple[int, int], Statement] = {}
    for seat in range(1, seats + 1):
        for round_ in range(1, rounds + 1):
            is_true = rng.random() < 0.65
            said[seat, round_] = true_statement(facts, rng) if is_true else false_statement(facts, other, rng)
    lines = [
        f"{seat}: " + "; ".join(said[seat, round_].text() for round_ in range(1, rounds + 1)) + "."
        for seat in range(1, seats + 1)
    ]
    prompt = "\n".join([*lines, "Check the clues."])
    if rng.random() < 0.3:
        return Lesson("check at once", prompt, verdicts(said, facts))
    return Lesson("check", prompt, f"{listing(facts)}. {verdicts(said, facts)}")


def teach_clue(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    """A seat's turn in the middle of a game: what a glance finds, then something true of the own picture."""
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
    return Lesson("clue", prompt, f"{glance(facts)}. \\boxed{{{true_statement(facts, rng).text()}}}")


def teach_vote(facts: SceneFacts, other: SceneFacts, rng: np.random.Generator) -> Lesson:
    """A civilian's vote after a whole game: the spy's seat if a clue betrays it to this voter, else N/A."""
    game = _table(rng)
    players, rounds = game.civilians + 1, range(1, game.rounds + 1)
    spy, voter = (int(seat) + 1 for seat in rng.choice(players, size=2, replace=False))
    said: dict[tuple[int, int], Statement] = {
        (seat, round_): true_statement(other if seat == spy else facts, rng)
        for round_ in rounds
        for seat in range(1, players + 1)
    }
    clues = [SpokenClue(round_, seat, statement.text()) for (seat, round_), statement in said.items()]
    is_betrayed = any(not said[spy, round_].holds(facts) for round_ in rounds)
    box = f"\\boxed{{{spy if is_betrayed else ABSTAIN}}}"
    check = verdicts({place: statement for place, statement in said.items() if place[0] != voter}, facts)
    manner = draw(MANNERS, rng)
    thoughts = {"at once": "", "check": f"{check}. ", "look and check": f"{listing(facts)}. {check}. "}[manner]
    return Lesson(f"vote {manner}", vote_prompt(game, voter, "civilian", clues), thoughts + box)


def verdicts(said: Said, facts: SceneFacts) -> str:
    """ "1 yes no, 3 yes yes": seat by seat, whether each of its clues is true of the scene."""
    seats = sorted({seat for seat, _ in said})
    return ", ".join(
        f"{seat} " + " ".join("yes" if said[place].holds(facts) else "no" for place in sorted(said) if place[0] == seat)
        for seat in seats
    )


def _table(rng: np.random.Generator) -> GameConfig:
    return GameConfig(civilians=pick((2, 3, 3, 3, 4), rng), rounds=pick((1, 2, 2, 2, 3), rng), prompt="compact")
