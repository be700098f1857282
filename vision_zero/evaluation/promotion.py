"""Whether a run's policy may replace the version in production: both play, vote and answer on the same held-out pairs.

The pairs are drawn for this run alone. A run that is refused is followed by others that begin at the same version, and were they
all judged on the same pairs, one would pass in the end because it suits these pairs. What cannot be drawn anew (the suites, the
pairs that the curves of learning are measured on) is read more strictly after each refusal: see
:func:`vision_zero.evaluation.intervals.after_refusals`.

A policy is refused when a measure is worse by the paired bootstrap's interval *and* by the exact sign test over pairs (McNemar's
test, where a pair is right or wrong), both corrected for the number of measures (Bonferroni), or when it does not keep the
protocol. The bootstrap alone is too sure of few pairs. Not significantly worse is not proof of being as good: small losses pass,
so every run is also measured beside the frozen base (:mod:`vision_zero.evaluation.held_out`), and loses its promotion there, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config_base import Config
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.table import PairTable
from vision_zero.evaluation.clue_metrics import Spoken, clue_metrics
from vision_zero.evaluation.comparison import Refused, mcnemar, won_and_lost
from vision_zero.evaluation.estimates import Score, compare
from vision_zero.evaluation.forced_choice import forced_choices
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
from vision_zero.evaluation.question_metrics import domain_questions, question_metrics
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.policy.policy import Policy
from vision_zero.randomness import Seed

RIGHT, WINS, ANSWERS = "right votes", "wins against production", "questions/all"
VOTES, CLUES = "votes/unreadable", "clues/unreadable"
PROTOCOL = {VOTES: "votes", CLUES: "clues"}
"""Measures of the protocol, and what they count."""
Measured = dict[str, tuple[list[float], list[float]]]
"""Of each measure the values by pair (or question) of the policy and of the version in production."""


class Promotion(Config):
    """How a run's policy fares beside the version in production.

    Attributes:
        rival: what it was compared with, in words.
        judged: runs of the model that were judged before this one, each on other pairs.
        pairs: that both were judged on; 0: nothing was compared, and ``note`` says why.
        scores: the measures; their ``base`` is the version in production.
        p_values: of the sign test of each score.
        objections: why the policy must not go into production; none: it may.
        refused: versions that were refused before, and why.
    """

    rival: str
    judged: int
    pairs: int
    scores: tuple[Score, ...] = ()
    p_values: tuple[float, ...] = ()
    objections: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    note: str = ""

    @property
    def objection(self) -> str | None:
        """All objections as one sentence; None where there are none."""
        return "; ".join(self.objections) or None

    def lines(self) -> list[str]:
        """For the console: one line a measure, and what follows."""
        if not self.pairs:
            return [f"promotion: {self.note}"]
        lines = [f"beside {self.rival}, on {self.pairs} pairs drawn for this run"]
        lines += [
            f"  {score.name:<28}{score.policy.text():>18}{score.base.text():>18}"
            f"{'–' if score.difference is None else score.difference.points():>18}"
            for score in self.scores
        ]
        return [*lines, f"  {self.objection or 'nothing speaks against promotion'}"]


@dataclass(frozen=True)
class Judge:
    """Compares a policy with the version in production.

    Attributes:
        rival: what the latter is called.
        judged: runs that were judged before: decides which pairs and draws these are.
    """

    config: SelfPlayConfig
    rival: str
    judged: int
    refused: tuple[Refused, ...] = ()

    def unheard(self, note: str, objections: tuple[str, ...] = ()) -> Promotion:
        """Nothing was compared."""
        return Promotion(rival=self.rival, judged=self.judged, pairs=0, refused=self.refused, note=note, objections=objections)

    def compare(self, policy: Policy, production: Policy, held_out: PairTable) -> Promotion:
        """Let both play on those pairs, and say whether anything speaks against the policy."""
        pairs = list(held_out.pairs())
        if not pairs:
            none = f"none of the {self.config.promotion.pairs} pairs that were drawn to compare it with {self.rival} is valid"
            return self.unheard(none, objections=(none,))
        measured = self._measure(policy, production, pairs)
        compared = max(1, len(measured))
        scores = [
            compare(name, ours, theirs, self.config.evaluation, comparisons=compared) for name, (ours, theirs) in measured.items()
        ]
        p_values = [sign_test(*values) for values in measured.values()]
        alpha = (1 - self.config.evaluation.confidence) / compared
        worse = [
            f"{score.name} fell {score.difference.points()} from {score.base.short()} of {self.rival}"
            for score, p_value in zip(scores, p_values, strict=True)
            if score.judgement == "worse" and p_value <= alpha and score.difference is not None
        ]
        return Promotion(
            rival=self.rival,
            judged=self.judged,
            pairs=len(pairs),
            scores=tuple(scores),
            p_values=tuple(p_values),
            objections=(*worse, *self._broken_protocol(scores)),
            refused=self.refused,
        )

    def _measure(self, policy: Policy, production: Policy, pairs: Sequence[ImagePair]) -> Measured:
        config, game = self.config, WhoIsTheSpy(self.config.of_base.game, self.config.rewards)
        seed = Seed(config.evaluation.seed).child("promotion", self.judged)
        ours, theirs = BestGuess(policy), BestGuess(production)
        played = play_head_to_head(game, pairs, theirs, theirs, seed)
        again = vote_on(game, played, ours, seed)
        as_civilians, as_spy = play_both_sides(game, pairs, ours, theirs, seed)
        by_id = {pair.pair_id: pair for pair in pairs}
        own: list[Spoken] = [(games_of(as_civilians), "civilian"), (games_of(as_spy), "spy")]
        other: list[Spoken] = [(games_of(played), None)]
        found: Measured = {
            RIGHT: (
                vote_shares(forced_choices(game, again, policy))["accuracy"],
                vote_shares(forced_choices(game, played, production))["accuracy"],
            ),
            WINS: (half_each(caught(games_of(as_civilians)), caught(games_of(as_spy))), [0.5] * len(pairs)),
            VOTES: (vote_shares(games_of(again))["unreadable"], vote_shares(games_of(played))["unreadable"]),
            CLUES: (clue_metrics(own, by_id, game.config)[CLUES], clue_metrics(other, by_id, game.config)[CLUES]),
        }
        questions = domain_questions(pairs, config.promotion.questions, seed.child("which"))
        if questions:
            how = config.evaluation.model_copy(update={"samples": 0})
            its, rivals = (
                question_metrics(who, questions, how, None, seed.child("questions"))[ANSWERS] for who in (policy, production)
            )
            found[ANSWERS] = (its, rivals)
        return found

    def _broken_protocol(self, scores: Sequence[Score]) -> list[str]:
        bound = self.config.promotion.unreadable
        return [
            f"{score.policy.short()} of its {PROTOCOL[score.name]} cannot be read, {score.base.short()} of {self.rival}'s, and "
            f"{bound:.0%} are allowed"
            for score in scores
            if score.name in PROTOCOL and bound < score.policy.mean and score.policy.mean > score.base.mean
        ]


def sign_test(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Exact two-sided p-value of so uneven a split into pairs won and pairs lost, were both equally good."""
    return mcnemar(*won_and_lost(ours, theirs))
