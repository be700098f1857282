"""Measuring one policy after a round: the policy and its frozen base on the same held-out games and questions.

The base never changes, so it is measured apart, and once. Games against it are played with best guesses as votes, on both sides:
at the temperature that votes are sampled with for learning, chance would decide many of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vision_zero.config.evaluation import EvaluationConfig, ScriptedName
from vision_zero.config.self_play import BaseMeasureConfig
from vision_zero.evaluation.duels import BestGuess, caught, duel, vote_again, vote_shares
from vision_zero.evaluation.estimates import BaseMeasures, Bound, Score, Scores, compare, estimate
from vision_zero.evaluation.questions import SCENE_FAMILIES, AskedPicture, is_right, scene_questions
from vision_zero.evaluation.truth import true_clues
from vision_zero.game.engine import deal_all
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.table import Table
from vision_zero.game.transcript import Transcript
from vision_zero.pairs.image_pair import ImagePair
from vision_zero.pairs.table import PairTable
from vision_zero.policy.policy import Policy, user_message
from vision_zero.policy.scripted import SCRIPTED
from vision_zero.randomness import Seed

_LOGGER = logging.getLogger(__name__)
BOUNDS: tuple[ScriptedName, ...] = ("oracle", "random")
"""Who marks the upper and the lower end of what voters can do."""
Values = dict[str, list[float]]
"""Values by unit, by name of the quantity."""


@dataclass(frozen=True)
class HeldOut:
    """What policies are measured on: fixed pairs, tables, clues of the frozen base, and questions."""

    game: WhoIsTheSpy
    pairs: Sequence[ImagePair]
    questions: Sequence[AskedPicture]
    config: EvaluationConfig

    @classmethod
    def of(cls, config: BaseMeasureConfig, held_out: PairTable) -> HeldOut:
        """What that configuration asks of all held-out pairs."""
        pairs = list(held_out.pairs())
        scenes = [pair for pair in pairs if pair.domain == "scenes"]
        asked = config.evaluation
        questions = scene_questions(scenes, asked.questions, Seed(asked.seed).child("questions")) if scenes else []
        return cls(WhoIsTheSpy(config.game), pairs, questions, asked)

    @property
    def scenes(self) -> list[ImagePair]:
        """The pairs that scripted players know."""
        return [pair for pair in self.pairs if pair.domain == "scenes"]

    @property
    def seed(self) -> Seed:
        return Seed(self.config.seed).child("games")

    def measure_base(self, base: Policy) -> tuple[BaseMeasures, list[Transcript]]:
        """Score the frozen base, once for all policies that are trained from it.

        Scene pairs can also be played against scripted players, and bound what a voter can make of the base's clues.

        Returns:
            Its measures, and the transcripts of its games against itself, one a pair.
        """
        tables = duel(self.game, self.pairs, BestGuess(base), BestGuess(base), self.seed)
        games = [table.transcript for table in tables]
        values = {**self._votes(tables, base), **self._answers(base), "clues/true": self._truth(games)}
        against = {name: self._against(name, base) for name in self.config.opponents if self.scenes}
        return BaseMeasures(mark=base.base_mark, values=values, against=against, bounds=self._bounds(tables)), games

    def still_true(
        self, measured: BaseMeasures, games: Sequence[Transcript], policy: Policy
    ) -> tuple[BaseMeasures, Sequence[Transcript]]:
        """What was measured of a base, if it is the policy's; else the same of the policy's own.

        Measures are kept for as long as the settings are the same, and the weights in a folder can change without them.
        """
        if measured.mark == policy.base_mark:
            return measured, games
        _LOGGER.warning("the weights of the base are others than when it was measured: it is measured again")
        return self.measure_base(replace(policy, as_base=True))

    def measure(
        self, policy: Policy, measured: BaseMeasures, base_games: Sequence[Transcript], iteration: int
    ) -> tuple[Scores, list[Transcript]]:
        """Score the policy beside its base.

        Args:
            measured: what :meth:`measure_base` found of the base …
            base_games: … and its games: the policy votes on their clues.

        Returns:
            The scores, and the transcripts of the policy's games against the base, both sides of each pair.
        """
        base, player = BestGuess(replace(policy, as_base=True)), BestGuess(policy)
        dealt = deal_all(self.game, self.pairs, self.seed)
        fixed = [replace(table, transcript=game) for table, game in zip(dealt, base_games, strict=True)]
        as_civilians, as_spy = (
            [table.transcript for table in duel(self.game, self.pairs, spy, others, self.seed)]
            for spy, others in ((base, player), (player, base))
        )
        ours = {**self._votes(fixed, policy), **self._answers(policy), "clues/true": self._truth(as_civilians)}
        theirs = measured.values
        scores = [compare(name, ours[name], theirs[name], self.config, more_is=_sense(name)) for name in ours]
        scores += self._wins(as_civilians, as_spy, base_games)
        scores += [
            compare(f"wins/against {name}", self._against(name, policy), wins, self.config, more_is="good")
            for name, wins in measured.against.items()
        ]
        return Scores(iteration=iteration, scores=tuple(scores), bounds=measured.bounds), _both_games(as_civilians, as_spy)

    def _votes(self, fixed: Sequence[Table], voters: Policy) -> Values:
        values: Values = {}
        for manner, players in (("decision", replace(voters, greedy=True)), ("decision sampled", replace(voters, greedy=False))):
            games = [table.transcript for table in vote_again(self.game, fixed, players, self.seed.child(manner))]
            shares = vote_shares(games)
            values[f"{manner}/accuracy"] = shares["accuracy"]
            values[f"{manner}/abstention"] = shares["abstention"]
            values[f"{manner}/unreadable"] = shares["unreadable"]
            values[f"{manner}/spy caught"] = caught(games)
        return values

    def _bounds(self, fixed: Sequence[Table]) -> tuple[Bound, ...]:
        """How an oracle and a random voter do on the same clues: the most and the least that a voter should."""
        tables = [table for pair, table in zip(self.pairs, fixed, strict=True) if pair.domain == "scenes"]
        bounds = []
        for player in BOUNDS if tables else ():
            voters = SCRIPTED[player](self.scenes)
            games = [table.transcript for table in vote_again(self.game, tables, voters, self.seed.child("bounds", player))]
            for name, values in (("accuracy", vote_shares(games)["accuracy"]), ("spy caught", caught(games))):
                level = estimate(values, self.config, self.seed.child("bounds", player, name))
                bounds.append(Bound(player=player, name=f"decision/{name}", estimate=level))
        return tuple(bounds)

    def _against(self, name: ScriptedName, players: Policy) -> list[float]:
        """Wins against a scripted player."""
        opponent, player = SCRIPTED[name](self.scenes), BestGuess(players)
        return both_sides(
            duel(self.game, self.scenes, opponent, player, self.seed),
            duel(self.game, self.scenes, player, opponent, self.seed),
        )

    def _answers(self, policy: Policy) -> Values:
        if not self.questions:
            return {}
        messages = [user_message(asked.question.text, asked.image) for asked in self.questions]
        replies = replace(policy, greedy=True).complete(messages, self.config.question_tokens, self.seed.child("questions"))
        right = [
            (asked.question.family, float(is_right(asked.question, reply.text)))
            for asked, reply in zip(self.questions, replies, strict=True)
        ]
        by_family = {f"questions/{family}": [value for name, value in right if name == family] for family in SCENE_FAMILIES}
        return {"questions/all": [value for _, value in right], **by_family}

    def _truth(self, games: Sequence[Transcript]) -> list[float]:
        return true_clues(games, {pair.pair_id: pair for pair in self.pairs})

    def _wins(
        self, as_civilians: Sequence[Transcript], as_spy: Sequence[Transcript], base_games: Sequence[Transcript]
    ) -> list[Score]:
        """Wins against the base. Civilians win by catching the spy, a spy by not being caught; sides weigh the same."""
        caught_base, caught_us, caught_both = caught(as_civilians), caught(as_spy), caught(base_games)
        sides = {
            "wins/as civilians": (caught_base, caught_both),
            "wins/as spy": ([1 - value for value in caught_us], [1 - value for value in caught_both]),
        }
        scores = [compare(name, ours, theirs, self.config, more_is="good") for name, (ours, theirs) in sides.items()]
        both = _half_each(caught_base, caught_us)
        # Against itself a policy wins half of the time on the two sides together, by definition.
        half = [0.5] * len(both)
        return [*scores, compare("wins/both", both, half, self.config, more_is="good")]


def both_sides(as_civilians: Sequence[Table], as_spy: Sequence[Table]) -> list[float]:
    """For each pair the share of two games won: as the civilians, and as the spy."""
    return _half_each(*(caught([table.transcript for table in tables]) for tables in (as_civilians, as_spy)))


def _both_games(as_civilians: Sequence[Transcript], as_spy: Sequence[Transcript]) -> list[Transcript]:
    """Named by the policy's side. Of a pair a replay shows the game that comes first: one side here, the other there."""
    sides = [
        [replace(game, game_id=f"{game.game_id} (policy as {side})") for game in games]
        for side, games in (("civilians", as_civilians), ("spy", as_spy))
    ]
    return [game for number, both in enumerate(zip(*sides, strict=True)) for game in (both, both[::-1])[number % 2]]


def _half_each(caught_as_civilians: Sequence[float], caught_as_spy: Sequence[float]) -> list[float]:
    return [(civil + 1 - spy) / 2 for civil, spy in zip(caught_as_civilians, caught_as_spy, strict=True)]


def _sense(name: str) -> Literal["good", "bad"] | None:
    """Is more of a quantity good? N/A is neither: it is right where nothing can be known."""
    if name.endswith("abstention"):
        return None
    return "bad" if name.endswith("unreadable") else "good"
