r"""The decision stage: TRL's GRPOTrainer on votes (arXiv 2509.25541, equation of L_dec).

    L_dec = -E[A log q(vote)] + τ E[KL(q‖q_ref)]        A = (r - mean) / (std + ε) over the votes sampled for one prompt

Each iteration plays new games on-policy. Every civilian votes once, except for one per game, chosen at random, for whom
``votes_per_prompt`` votes are sampled: the first counts in the game, and all of them are trained. Advantages and loss are TRL's;
this trainer computes the rewards, and the accuracy and N/A rate for the stage controller.
Not in the paper: a scoring rule for votes (``rewards.vote``), ``skip_equal_groups``, which leaves groups without an advantage out
of the update, and ``vote_scale: batch``, by which std is taken over all votes of the iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from accelerate.utils import gather_object

from vision_zero.evaluation.forced_choice import up_to_the_box
from vision_zero.game.interface import Players, Reply, Request
from vision_zero.game.parsing import BOX
from vision_zero.game.transcript import Move, Transcript, VoteRates
from vision_zero.policy.loading import load_base
from vision_zero.policy.policy import user_message
from vision_zero.randomness import Seed
from vision_zero.rewards.brier import NOTHING_BOXED
from vision_zero.rewards.decision import vote_reward
from vision_zero.rewards.group_advantage import EPSILON
from vision_zero.rewards.shuffled import shuffled
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.launcher import train_in_processes
from vision_zero.training.metrics import game_metrics, reply_metrics
from vision_zero.training.out_of_memory import Part, free_memory, out_of_memory_named
from vision_zero.training.rollouts import RolloutTrainer, Turn

Ballot = tuple[Move, int]
"""A vote and the spy's seat."""


def run_decision_stage(job: StageJob) -> StageResult:
    """Train the decision stage if it is the current stage and iterations are left; otherwise the policy is returned unchanged."""
    if job.state.stage != "decision" or not job.planned:
        return StageResult(job.state, (), job.parent)
    if job.learning.num_processes > 1:
        return train_in_processes("decision", job)
    try:
        return train_on_votes(job)
    finally:
        free_memory()


def train_on_votes(job: StageJob) -> StageResult:
    """Play, vote and train in this process, alone or as one rank of several."""
    with out_of_memory_named("load", job.policy, job.learning):
        model, processor = load_base(job.policy)
        trainer = DecisionTrainer(model, processor, job)
    policy = trainer.run()
    return StageResult(trainer.progress.state, tuple(trainer.transcripts), policy)


@dataclass
class GroupVoters:
    """The policy as all players, with several votes sampled for one voter of each game; the first is the one that counts.

    Attributes:
        seed: chooses the voter, by the game's id.
        votes: votes sampled for that voter.
        spending: measures the seconds of clues and of votes separately.
        groups: requests and votes of those voters, game by game in the order of the calls.
    """

    policy: Players
    seed: Seed
    votes: int
    spending: Callable[[Part], AbstractContextManager[None]]
    groups: list[list[Turn]] = field(default_factory=list)

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """One reply for each request; see :class:`vision_zero.game.interface.Players`."""
        if requests[0].kind != "vote":
            with self.spending("play"):
                return self.policy.reply(requests, seed)
        drawn = self._drawn(requests)
        times = [self.votes if place in drawn else 1 for place in range(len(requests))]
        asked = [request for request, number in zip(requests, times, strict=True) for _ in range(number)]
        with self.spending("vote"):
            said = iter(zip(asked, self.policy.reply(asked, seed), strict=True))
        by_request = [[next(said) for _ in range(number)] for number in times]
        self.groups += [by_request[place] for place in sorted(drawn)]
        return [replies[0][1] for replies in by_request]

    def _drawn(self, requests: Sequence[Request]) -> set[int]:
        """Indices of the requests to the chosen voters, one per game."""
        by_game: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            by_game.setdefault(request.game_id, []).append(place)
        return {places[int(self.seed.child(game).generator().integers(len(places)))] for game, places in by_game.items()}


class DecisionTrainer(RolloutTrainer):
    """GRPOTrainer on votes: a group is the votes sampled for one voter of a game."""

    def __init__(self, model: Any, processor: Any, job: StageJob) -> None:
        super().__init__(model, processor, job, kind="vote", group=job.learning.votes_per_prompt)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Play this iteration's games, compute metrics of the votes, and let TRL prepare those that are trained as its batch."""
        transcripts, votes = self._votes(inputs)
        spies = {transcript.game_id: transcript.spy for transcript in transcripts}
        ballots = [(self.game.read(request, reply), spies[request.game_id]) for request, reply in votes]
        earned_by_all = self._earned(transcripts, ballots, self._chances(votes))
        start = self.accelerator.process_index * len(ballots)
        earned = earned_by_all[start : start + len(ballots)]
        trained = self._trained(earned)
        output = self.prepare(
            self.asked([votes[number] for number in trained]),
            [votes[number][1].tokens for number in trained],
            [earned[number] for number in trained],
        )
        # The loss is a mean over the replies; those that were skipped count in it with their advantage of 0.
        output["advantages"] *= len(trained) / len(inputs)
        if self.job.rewards.vote_scale == "batch":
            output["advantages"] /= stdev(earned_by_all) + EPSILON
        return output

    def _votes(self, inputs: list[dict[str, Any]]) -> tuple[list[Transcript], list[Turn]]:
        """The games of all ranks, and this rank's votes that are trained, group by group."""
        with self.spending("play"):
            policy = self.player()
        players = GroupVoters(policy, self.job.seed.child("voters"), self.num_generations, self.spending)
        transcripts, _ = self.play(inputs, players)
        return transcripts, [vote for group in players.groups for vote in group]

    def _chances(self, votes: Sequence[Turn]) -> list[tuple[float, ...]]:
        """How likely the policy was to box each seat, after the reasoning of each vote; nothing where no rule asks for it."""
        chances = [NOTHING_BOXED] * len(votes)
        boxed = [place for place, (_, reply) in enumerate(votes) if BOX in reply.text]
        if self.job.rewards.vote != "brier" or not boxed:
            return chances
        with self.spending("vote"):
            policy = self._policy(self.accelerator.unwrap_model(self.model))
            seats = [f"{seat}}}" for seat in range(1, self.game.players + 1)]
            messages = [user_message(request.prompt, request.image) for request, _ in (votes[place] for place in boxed)]
            begun = [up_to_the_box(votes[place][1].text) for place in boxed]
            drawing = self.job.policy.sampling.of("vote")
            found = policy.chances(messages, begun, [seats] * len(boxed), drawing.temperature)
        for place, of_seats in zip(boxed, found, strict=True):
            chances[place] = tuple(of_seats)
        return chances

    def _trained(self, earned: Sequence[float]) -> list[int]:
        """Which rows are trained: all, or complete groups whose rewards differ.

        Groups with equal rewards are added where another rank has more groups: all ranks train the same number of rows.
        """
        groups = list(range(len(earned) // self.num_generations))
        if self.job.learning.skip_equal_groups:
            equal = equal_groups(earned, self.num_generations)
            wanted = max(1, *gather_object([equal.count(False)]))
            groups = sorted(sorted(groups, key=equal.__getitem__)[:wanted])
        return [group * self.num_generations + place for group in groups for place in range(self.num_generations)]

    def _earned(
        self, games: Sequence[Transcript], ballots: Sequence[Ballot], chances: Sequence[tuple[float, ...]]
    ) -> list[float]:
        """Advance the controller by the votes of all ranks, and return their rewards, rank by rank."""
        of_all: list[Ballot] = gather_object(list(ballots))
        likely: list[tuple[float, ...]] = gather_object(list(chances))
        earned = [vote_reward(move.ballot, spy, self.job.rewards, own) for (move, spy), own in zip(of_all, likely, strict=True)]
        if self.job.rewards.shuffled:
            earned = shuffled(earned, self.iteration_seed.child("shuffled"))
        opener = self.job.opener
        # Of the games' own votes, most are not trained, and those that are, are among the ballots.
        played = {
            name: value for name, value in game_metrics(games, self.job.rewards, opener).items() if not name.startswith("vote/")
        }
        self.progress.measured(rates_of(of_all), {**played, **vote_measures(of_all, earned, self.num_generations, opener)})
        return earned


def equal_groups(earned: Sequence[float], group: int) -> list[bool]:
    """For each prompt (``group`` consecutive votes): are all rewards equal?"""
    return [len(set(earned[start : start + group])) == 1 for start in range(0, len(earned), group)]


def vote_measures(ballots: Sequence[Ballot], earned: Sequence[float], group: int, opener: str | None = None) -> dict[str, float]:
    """Metrics of sampled votes, ``group`` of them per prompt.

    Returns:
        ``reward``: mean; ``zero_variance``: share of prompts whose votes all have the same reward; and the metrics of
        :func:`vision_zero.training.metrics.reply_metrics` under ``vote``.
    """
    return {
        "reward": fmean(earned),
        "zero_variance": fmean(equal_groups(earned, group)),
        **reply_metrics("vote", (move for move, _ in ballots), opener),
    }


def rates_of(ballots: Sequence[Ballot]) -> VoteRates:
    """acc_t and na_t of sampled votes."""
    return VoteRates(
        votes=len(ballots),
        accuracy=fmean(move.vote == spy for move, spy in ballots),
        abstention=fmean(move.is_abstention for move, _ in ballots),
        unreadable=fmean(move.unreadable is not None for move, _ in ballots),
    )
