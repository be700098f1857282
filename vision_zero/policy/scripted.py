"""Scripted players: reference levels in plots, opponents for win rates, and test cases of the diagnostics.

They play through the same engine with scene statements, and use the scene graphs instead of images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
from PIL import Image

from vision_zero.config.evaluation import ScriptedName
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import empty_image
from vision_zero.domains.scenes.statements import NO_FACTS, Both, Query, SceneFacts, Thing, parse, parts_of
from vision_zero.errors import GameError
from vision_zero.game.interface import Reply, Request
from vision_zero.game.parsing import ABSTAIN
from vision_zero.game.prompts import SpokenClue
from vision_zero.randomness import Seed, one_of

ClueScript = Callable[[SceneFacts, Sequence[SpokenClue], np.random.Generator], str | None]
"""A clue from the facts of an image and the clues so far, or None for an empty reply."""
VoteScript = Callable[[SceneFacts, Request, np.random.Generator], str | None]
"""A seat's number or N/A, or None for an empty reply."""


class Scripted:
    """A player that says clues and votes by a script; it knows the facts of the images of these pairs."""

    def __init__(self, pairs: Iterable[ImagePair], clue: ClueScript, vote: VoteScript) -> None:
        self._clue, self._vote = clue, vote
        self._facts: dict[int, SceneFacts] = {}
        for pair in pairs:
            self._facts[_key(empty_image(pair.original.size))] = NO_FACTS
            self._facts[_key(pair.original)] = pair.original_facts
            self._facts[_key(pair.modified)] = pair.modified_facts

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """Reply to each request; see :class:`vision_zero.game.interface.Players`."""
        return [self._answer(request, seed.child(number)) for number, request in enumerate(requests)]

    def _answer(self, request: Request, seed: Seed) -> Reply:
        facts = self._facts.get(_key(request.image))
        if facts is None:
            raise GameError(f"a scripted player was shown an image whose facts it does not have (game {request.game_id})")
        rng = seed.generator()
        if request.kind == "clue":
            # A player with a blank image has no clue.
            said = self._clue(facts, request.clues, rng) if facts["objects"] else None
        else:
            said = self._vote(facts, request, rng)
        return Reply("" if said is None else f"\\boxed{{{said}}}")


def everything(facts: SceneFacts, heard: Sequence[SpokenClue], rng: np.random.Generator) -> str:
    """All objects of its image."""
    return Both(tuple(Thing(_exactly(item)) for item in facts["objects"])).text()


def little(facts: SceneFacts, heard: Sequence[SpokenClue], rng: np.random.Generator) -> str:
    """One size and one material of an object of its image: true, but with little information."""
    item = one_of(facts["objects"], rng)
    return Thing(Query(size=item["size"], material=item["material"])).text()


def one_object(facts: SceneFacts, heard: Sequence[SpokenClue], rng: np.random.Generator) -> str:
    """A random object of its image."""
    return Thing(_exactly(one_of(facts["objects"], rng))).text()


def last_clue(facts: SceneFacts, heard: Sequence[SpokenClue], rng: np.random.Generator) -> str:
    """The previous clue; an object of its image if it is the first."""
    return heard[-1].text if heard else one_object(facts, heard, rng)


def lie(facts: SceneFacts, heard: Sequence[SpokenClue], rng: np.random.Generator) -> str:
    """An object that is not in its image."""
    while True:
        color, shape = rng.choice(["red", "blue", "green", "cyan"]), rng.choice(["cube", "sphere", "cylinder"])
        statement = parse(f"a {color} {shape}")
        if statement is not None and not statement.holds(facts):
            return statement.text()


def nothing(facts: SceneFacts, told: object, rng: np.random.Generator) -> None:
    """An empty reply."""


def most_contradicted(facts: SceneFacts, request: Request, rng: np.random.Generator) -> str:
    """The seat with most clues that are false of its own image; on a tie a guess among them."""
    worst = _most_contradicted(facts, request)
    return str(one_of(worst, rng)) if worst else ABSTAIN


def alone_contradicted(facts: SceneFacts, request: Request, rng: np.random.Generator) -> str:
    """The seat with most clues that are false of its own image; N/A on a tie, although a guess has a higher reward."""
    worst = _most_contradicted(facts, request)
    return str(worst[0]) if len(worst) == 1 else ABSTAIN


def any_other(facts: SceneFacts, request: Request, rng: np.random.Generator) -> str:
    """A random other seat."""
    others = sorted({clue.seat for clue in request.clues} - {request.seat})
    return str(one_of(others, rng)) if others else ABSTAIN


def honest(facts: SceneFacts, request: Request, rng: np.random.Generator) -> str:
    """A seat whose clues are true."""
    seats = {clue.seat for clue in request.clues if (statement := parse(clue.text)) is not None and statement.holds(facts)}
    return str(min(seats - {request.seat}, default=ABSTAIN))


Oracle = partial(Scripted, clue=everything, vote=alone_contradicted)
Guesser = partial(Scripted, clue=everything, vote=most_contradicted)
Vague = partial(Scripted, clue=little, vote=most_contradicted)
Random = partial(Scripted, clue=one_object, vote=any_other)
Mute = partial(Scripted, clue=nothing, vote=nothing)
Copycat = partial(Scripted, clue=last_clue, vote=any_other)
Liar = partial(Scripted, clue=lie, vote=honest)
SCRIPTED: Mapping[ScriptedName, Callable[[Iterable[ImagePair]], Scripted]] = {
    "oracle": Oracle,
    "guesser": Guesser,
    "random": Random,
    "mute": Mute,
    "copycat": Copycat,
    "liar": Liar,
    "vague": Vague,
}
"""Every scripted player by name."""


def _most_contradicted(facts: SceneFacts, request: Request) -> list[int]:
    """The other seats with most false statements; an unreadable clue counts as one false statement."""
    false: dict[int, int] = {clue.seat: 0 for clue in request.clues if clue.seat != request.seat}
    for clue in request.clues:
        if clue.seat in false:
            statement = parse(clue.text)
            false[clue.seat] += 1 if statement is None else sum(not part.holds(facts) for part in parts_of(statement))
    return [seat for seat, number in false.items() if number == max(false.values())]


def _exactly(item: dict[str, object]) -> Query:
    return Query(**{key: item[key] for key in ("size", "color", "material", "shape")})  # type: ignore[arg-type]


def _key(image: Image.Image) -> int:
    return hash((image.size, image.tobytes()))
