r"""The decision stage: GRPO on votes (arXiv 2509.25541, equation of L_dec).

    L_dec = -E[A log q(vote)] + τ E[KL(q‖q_ref)]        A = (r - mean) / (std + ε) over the votes sampled for one prompt

Each iteration plays new games on-policy. Every civilian votes once, except for one per game, chosen at random, for whom
``votes_per_prompt`` votes are sampled: the first counts in the game, and all of them are trained. Advantages and loss are TRL's;
rewards, and the accuracy and N/A rate for the stage controller, are computed here.
Not in the paper: a scoring rule for votes (``rewards.vote``), ``skip_equal_groups``, which leaves groups without an advantage out
of the update, and ``vote_scale: batch``, by which std is taken over all votes of the iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any, ClassVar, Literal

from accelerate.utils import gather_object

from vision_zero.evaluation.forced_choice import up_to_the_box
from vision_zero.game.interface import Players, Reply, Request
from vision_zero.game.parsing import BOX, Unreadable, split_reply
from vision_zero.game.transcript import Move, Transcript, VoteRates
from vision_zero.policy.chats import user_message
from vision_zero.randomness import Seed
from vision_zero.rewards.brier import NOTHING_BOXED
from vision_zero.rewards.decision import vote_reward
from vision_zero.rewards.group_advantage import EPSILON
from vision_zero.rewards.shuffled import shuffled
from vision_zero.training.loop import ScoredGames, StageLoop
from vision_zero.training.metrics import game_metrics, reply_metrics
from vision_zero.training.out_of_memory import Phase
from vision_zero.training.updates import Turn

Ballot = tuple[Move, int]
"""A vote and the spy's seat."""


@dataclass
class GroupVoters:
    """The policy as all players, with several votes sampled for one voter of each game; the first is the one that counts.

    Attributes:
        seed: chooses the voter, by the game's id.
        votes: votes sampled for that voter.
        timer: measures the seconds of clues and of votes separately.
        groups: requests and votes of those voters, game by game in the order of the calls.
    """

    policy: Players
    seed: Seed
    votes: int
    timer: Callable[[Phase], AbstractContextManager[None]]
    groups: list[list[Turn]] = field(default_factory=list)

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """One reply for each request; see :class:`vision_zero.game.interface.Players`."""
        if requests[0].kind != "vote":
            with self.timer("play"):
                return self.policy.reply(requests, seed)
        sampled = self._sampled(requests)
        times = [self.votes if place in sampled else 1 for place in range(len(requests))]
        asked = [request for request, number in zip(requests, times, strict=True) for _ in range(number)]
        with self.timer("vote"):
            said = iter(zip(asked, self.policy.reply(asked, seed), strict=True))
        by_request = [[next(said) for _ in range(number)] for number in times]
        self.groups += [by_request[place] for place in sorted(sampled)]
        return [replies[0][1] for replies in by_request]

    def _sampled(self, requests: Sequence[Request]) -> set[int]:
        """Indices of the requests to the chosen voters, one per game."""
        by_game: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            by_game.setdefault(request.game_id, []).append(place)
        return {places[int(self.seed.child(game).generator().integers(len(places)))] for game, places in by_game.items()}


class DecisionLoop(StageLoop):
    """Trains votes: a group is the votes sampled for one voter of a game."""

    kind: ClassVar[Literal["clue", "vote"]] = "vote"

    @property
    def group(self) -> int:
        return self.job.learning.votes_per_prompt

    def play(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Transcript], list[Turn]]:
        """Play this iteration's games, with a group of votes in each."""
        with self.timer("play"):
            policy = self.player()
        players = GroupVoters(policy, self.job.seed.child("voters"), self.group, self.timer)
        games, _ = self.rollout(rows, players)
        return games, [vote for group in players.groups for vote in group]

    def score(self, games: Sequence[Transcript], turns: Sequence[Turn]) -> ScoredGames:
        """Rewards of the votes, by the seat that each names; TRL makes advantages of them, group by group."""
        spies = {game.game_id: game.spy for game in games}
        own = [(self.game.read(request, reply), spies[request.game_id]) for request, reply in turns]
        ballots: list[Ballot] = gather_object(own)
        rewards = self.rewards(ballots, gather_object(self.chances(turns)))
        opener = self.job.opener
        # Of the games' own votes, most are not trained, and those that are, are among the ballots.
        played = {
            name: value for name, value in game_metrics(games, self.job.rewards, opener).items() if not name.startswith("vote/")
        }
        start = self.trainer.accelerator.process_index * len(own)
        trained = self.trained(rewards[start : start + len(own)])
        return ScoredGames(
            turns=[turns[place] for place in trained],
            rewards=[rewards[start + place] for place in trained],
            rates=VoteRates.of(ballots),
            metrics={**played, **vote_measures(ballots, rewards, self.group, opener)},
            # The loss is a mean over the replies; those that are left out count in it with their advantage of 0.
            factor=len(trained) / len(turns),
            divisor=stdev(rewards) + EPSILON if self.job.rewards.vote_scale == "batch" else 1.0,
        )

    def rewards(self, ballots: Sequence[Ballot], chances: Sequence[tuple[float, ...]]) -> list[float]:
        """The rewards of all processes' votes, process by process; ``chances`` are those of :meth:`chances`."""
        rewards = [
            vote_reward(move.ballot, spy, self.job.rewards, likely) for (move, spy), likely in zip(ballots, chances, strict=True)
        ]
        return shuffled(rewards, self.iteration_seed.child("shuffled")) if self.job.rewards.shuffled else rewards

    def chances(self, votes: Sequence[Turn]) -> list[tuple[float, ...]]:
        """How likely the policy was to box each seat, after the reasoning of each vote; nothing where no rule asks for it."""
        chances = [NOTHING_BOXED] * len(votes)
        boxed = [place for place, (_, reply) in enumerate(votes) if BOX in reply.text]
        if self.job.rewards.vote != "brier" or not boxed:
            return chances
        with self.timer("vote"):
            seats = [f"{seat}}}" for seat in range(1, self.game.players + 1)]
            messages = [user_message(request.prompt, request.image) for request, _ in (votes[place] for place in boxed)]
            begun = [_up_to_the_vote(votes[place][1].text) for place in boxed]
            temperature = self.job.policy.sampling.of("vote").temperature
            found = self.trained_policy().chances(messages, begun, [seats] * len(boxed), temperature)
        for place, of_seats in zip(boxed, found, strict=True):
            chances[place] = tuple(of_seats)
        return chances

    def trained(self, rewards: Sequence[float]) -> list[int]:
        """Which of this process's votes are trained: all, or complete groups whose rewards differ.

        Groups with equal rewards are added where another process has more groups: all train the same number of votes.
        """
        groups = list(range(len(rewards) // self.group))
        if self.job.learning.skip_equal_groups:
            equal = equal_groups(rewards, self.group)
            wanted = max(1, *gather_object([equal.count(False)]))
            groups = sorted(sorted(groups, key=equal.__getitem__)[:wanted])
        return [group * self.group + place for group in groups for place in range(self.group)]


def _up_to_the_vote(reply: str) -> str:
    """A reply's words before the box that is its vote, the last closed one, or its last box, and then an open box."""
    reasoning, content = split_reply(reply)
    return up_to_the_box(reply) if isinstance(content, Unreadable) else reasoning + BOX


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
