"""Held-out evaluation after a round: the policy and its frozen base on the same games and questions.

The base does not change, so it is measured separately and once. Win rates are measured twice, with greedy votes on both sides and
with sampled votes, since a policy can be good at one and poor at the other. A changed threshold for voting N/A can look like
learning; three metrics are independent of it: forced choice, the rule on the voter's own checks, and the base made to reason.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vision_zero.config.evaluation import EvaluationConfig, ScriptedName, checkpoint_name
from vision_zero.config.nano_defaults import reasoning_prefix
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.self_play import BaseMeasureConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.table import PairTable
from vision_zero.domains.registry import has_scene_graph
from vision_zero.evaluation.clue_metrics import Spoken, clue_metrics
from vision_zero.evaluation.estimates import BaseMeasures, Bound, Scores, compare, estimate
from vision_zero.evaluation.head_to_head import (
    BestGuess,
    caught,
    games_of,
    half_each,
    play_both_sides,
    play_head_to_head,
    vote_on,
    vote_shares,
)
from vision_zero.evaluation.metric_names import BESIDE_REASONED, OVER_RULE, in_domain, sense
from vision_zero.evaluation.question_metrics import AskedImage, domain_questions, list_metrics, question_metrics
from vision_zero.evaluation.vote_metrics import GREEDY, Values, pass_at, vote_metrics
from vision_zero.evaluation.written_checks import rule_votes
from vision_zero.game.engine import deal_all
from vision_zero.game.interface import GameState, Players
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Transcript
from vision_zero.policy.loading import load_opponent
from vision_zero.policy.policy import Policy
from vision_zero.policy.scripted import SCRIPTED
from vision_zero.randomness import Seed
from vision_zero.recipes.nano_limits import notes_on_pairs

_LOGGER = logging.getLogger(__name__)
BOUNDS: tuple[ScriptedName, ...] = ("oracle", "guesser", "random")
"""Scripted voters as bounds: two that know the scene graph, one that says N/A where it cannot know and one that
guesses among the most contradicted, and one that votes by chance."""
COMPARED_WITH_REASONED = ("decision/forced", "verdicts/all", "questions/all")
"""Measures that are also compared with the base made to reason, and all of ``false denied``."""
BY_DOMAIN = ("decision/accuracy", "decision/forced", "decision/unreadable", "wins/both", "clues/unreadable")
"""Measures that are also shown for each domain of held-out pairs, where there are several."""


@dataclass(frozen=True)
class HeldOut:
    """The held-out set: fixed pairs, games, clues of the frozen base, and questions.

    Attributes:
        prefix: how the policy's reasoned replies begin; None where nobody knows.
    """

    game: WhoIsTheSpy
    pairs: Sequence[ImagePair]
    questions: Sequence[AskedImage]
    config: EvaluationConfig
    policy: PolicyConfig
    prefix: str | None = None

    @classmethod
    def of(cls, config: BaseMeasureConfig, held_out: PairTable) -> HeldOut:
        """What that configuration asks of all held-out pairs."""
        pairs = list(held_out.pairs())
        asked = config.evaluation
        questions = domain_questions(pairs, asked.questions, Seed(asked.seed).child("questions"))
        prefix = reasoning_prefix(asked.reasoning_prefix, config.policy.base)
        return cls(WhoIsTheSpy(config.game, config.rewards), pairs, questions, asked, config.policy, prefix)

    @property
    def scenes(self) -> list[ImagePair]:
        """The pairs that scripted players know."""
        return [pair for pair in self.pairs if has_scene_graph(pair)]

    @property
    def seed(self) -> Seed:
        return Seed(self.config.seed).child("games")

    def measure_base(self, base: Policy) -> tuple[BaseMeasures, list[Transcript]]:
        """Score the frozen base, once for all policies that are trained from it.

        Scene pairs can also be played against scripted players, and bound what a voter can make of the base's clues.

        Returns:
            Its measures, and the transcripts of its games against itself, one a pair.
        """
        states = play_head_to_head(self.game, self.pairs, BestGuess(base), BestGuess(base), self.seed)
        games = games_of(states)
        values = {**self._alone(states, base, [(games, None)]), **self._against(base)}
        reasoned: Values = {}
        if self.prefix is not None:
            made_to = replace(base, reply_prefix=self.prefix)
            reasoned = {**self._votes(states, made_to, manners=(GREEDY,)), **self._answers(made_to)}
        bounds = self._bounds(states)
        return BaseMeasures(fingerprint=base.base_fingerprint, values=values, reasoned=reasoned, bounds=bounds), games

    def still_true(
        self, measured: BaseMeasures, games: Sequence[Transcript], policy: Policy
    ) -> tuple[BaseMeasures, Sequence[Transcript]]:
        """What was measured of a base, if it is the policy's; else the same of the policy's own.

        The fingerprint that measures are kept by is taken before a base is loaded; here it is compared as it was loaded: weights,
        tokenizer, chat template and settings of images.
        """
        if measured.fingerprint == policy.base_fingerprint:
            return measured, games
        _LOGGER.warning("the base is another one than when it was measured: it is measured again")
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
        fixed = [replace(state, transcript=game) for state, game in zip(dealt, base_games, strict=True)]
        as_civilians, as_spy = play_both_sides(self.game, self.pairs, player, base, self.seed)
        of_civilians, of_spy = (games_of(states) for states in (as_civilians, as_spy))
        spoken: list[Spoken] = [(of_civilians, "civilian"), (of_spy, "spy")]
        ours = {**self._alone(fixed, policy, spoken), **self._against(policy)}
        theirs = dict(measured.values)
        for name, (own, other) in self._wins(as_civilians, as_spy, policy, measured, base_games).items():
            ours[name], theirs[name] = own, other
        pairs = [(name, ours[name], theirs[name]) for name in ours]
        pairs += [(OVER_RULE, ours["decision/forced"], theirs["decision/rule on checks"])]
        pairs += [(f"{BESIDE_REASONED}{name}", ours[name], measured.reasoned[name]) for name in self._beside(measured)]
        pairs += [part for whole in pairs for part in self._by_domain(*whole)]
        comparisons = max(1, sum(bool(own and other) and sense(name) is not None for name, own, other in pairs))
        scores = [compare(name, own, other, self.config, comparisons=comparisons) for name, own, other in pairs]
        domains = tuple(dict.fromkeys(pair.domain for pair in self.pairs))
        found = Scores(
            iteration=iteration,
            scores=tuple(scores),
            bounds=measured.bounds,
            comparisons=comparisons,
            domains=domains,
            notes=notes_on_pairs(self.policy.base, self._images()),
        )
        return found, _both_games(of_civilians, of_spy)

    def _alone(self, fixed: Sequence[GameState], policy: Policy, spoken: Sequence[Spoken]) -> Values:
        """What is measured of a policy without an opponent: its votes on fixed clues, its answers, its lists, its own clues."""
        values = {**self._votes(fixed, policy), **self._answers(policy)}
        if self.scenes:
            values |= list_metrics(policy, self.scenes, self.config.question_tokens, self.seed.child("lists"))
        if self.config.samples:
            values[f"pass@{self.config.samples}/votes"] = pass_at(self.game, fixed, policy, self.config.samples, self.seed)
        return values | clue_metrics(spoken, {pair.pair_id: pair for pair in self.pairs}, self.game.config)

    def _votes(self, fixed: Sequence[GameState], voters: Policy, **how: Sequence[str]) -> Values:
        return vote_metrics(self.game, fixed, self.pairs, voters, self.seed, prefix=self.prefix, **how)

    def _answers(self, policy: Policy) -> Values:
        return question_metrics(policy, self.questions, self.config, self.prefix, self.seed.child("questions"))

    def _bounds(self, fixed: Sequence[GameState]) -> tuple[Bound, ...]:
        """How scripted voters do on the same clues."""
        states = [state for pair, state in zip(self.pairs, fixed, strict=True) if has_scene_graph(pair)]
        bounds = []
        for player in BOUNDS if states else ():
            voters = SCRIPTED[player](self.scenes)
            games = games_of(vote_on(self.game, states, voters, self.seed.child("bounds", player)))
            for name, values in (("accuracy", vote_shares(games)["accuracy"]), ("spy caught", caught(games))):
                level = estimate(values, self.config, self.seed.child("bounds", player, name))
                bounds.append(Bound(player=player, name=f"decision/{name}", estimate=level))
        return tuple(bounds)

    def _against(self, policy: Policy) -> Values:
        """Wins against each opponent of the settings: both sides, and as the civilians."""
        values: Values = {}
        player = BestGuess(policy)
        for name, opponent, pairs in self._opponents():
            as_civilians, as_spy = (
                caught(games_of(states)) for states in play_both_sides(self.game, pairs, player, opponent, self.seed)
            )
            values[f"wins/against {name}"] = half_each(as_civilians, as_spy)
            values[f"wins/against {name}, as civilians"] = as_civilians
        return values

    def _opponents(self) -> Iterator[tuple[str, Players, Sequence[ImagePair]]]:
        for scripted in self.config.opponents if self.scenes else ():
            yield scripted, SCRIPTED[scripted](self.scenes), self.scenes
        for folder in self.config.checkpoints:
            yield checkpoint_name(folder), BestGuess(load_opponent(self.policy, Path(folder))), self.pairs

    def _wins(
        self,
        as_civilians: Sequence[GameState],
        as_spy: Sequence[GameState],
        policy: Policy,
        measured: BaseMeasures,
        base_games: Sequence[Transcript],
    ) -> dict[str, tuple[list[float], list[float]]]:
        """Wins against the base, and of the base against itself. Civilians win by catching the spy; sides weigh the same."""
        base = replace(policy, as_base=True)
        civil, spy = (caught(games_of(states)) for states in (as_civilians, as_spy))
        own = caught(base_games)
        sampled_civil, sampled_spy = (
            caught(games_of(vote_on(self.game, states, replace(voters, greedy=False), self.seed.child(side))))
            for states, voters, side in ((as_civilians, policy, "sampled civilians"), (as_spy, base, "sampled spy"))
        )
        sampled_own = measured.values["decision sampled/spy caught"]
        # Against itself a policy wins half of the time on the two sides together, by definition.
        half = [0.5] * len(own)
        wins = {
            "wins/as civilians": (civil, own),
            "wins/as spy": (_let_go(spy), _let_go(own)),
            "wins/both": (half_each(civil, spy), half),
            "wins sampled/as civilians": (sampled_civil, sampled_own),
            "wins sampled/as spy": (_let_go(sampled_spy), _let_go(sampled_own)),
            "wins sampled/both": (half_each(sampled_civil, sampled_spy), half),
        }
        ruled = rule_votes(games_of(as_spy), self.seed.child("rule"))
        ruled_own = measured.values["decision/spy caught by the rule"]
        if ruled is not None and ruled_own:
            wins["wins/against the rule"] = (half_each(civil, caught(ruled)), half_each(own, ruled_own))
        return wins

    def _images(self) -> dict[str, set[tuple[int, int]]]:
        """Sizes of the images of each domain."""
        sizes: dict[str, set[tuple[int, int]]] = {}
        for pair in self.pairs:
            sizes.setdefault(pair.domain, set()).add(pair.original.size)
        return sizes

    def _beside(self, measured: BaseMeasures) -> list[str]:
        return [name for name in measured.reasoned if name in COMPARED_WITH_REASONED or name.startswith("false denied/")]

    def _by_domain(self, name: str, ours: list[float], theirs: list[float]) -> Iterator[tuple[str, list[float], list[float]]]:
        """The same of each domain, where there are several."""
        domains = [pair.domain for pair in self.pairs]
        if name not in BY_DOMAIN or len(set(domains)) < 2:
            return
        for domain in dict.fromkeys(domains):
            own, other = (
                [one for one, where in zip(values, domains, strict=True) if where == domain] for values in (ours, theirs)
            )
            yield in_domain(name, domain), own, other


def _both_games(as_civilians: Sequence[Transcript], as_spy: Sequence[Transcript]) -> list[Transcript]:
    """Named by the policy's side. Of a pair a replay shows the game that comes first: one side here, the other there."""
    sides = [
        [replace(game, game_id=f"{game.game_id} (policy as {side})") for game in games]
        for side, games in (("civilians", as_civilians), ("spy", as_spy))
    ]
    return [game for number, both in enumerate(zip(*sides, strict=True)) for game in (both, both[::-1])[number % 2]]


def _let_go(caught_spies: Sequence[float]) -> list[float]:
    return [1 - value for value in caught_spies]
