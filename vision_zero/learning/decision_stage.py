r"""The decision stage: TRL's GRPOTrainer on votes (arXiv 2509.25541, equation of L_dec).

    L_dec = -E[A log q(vote)] + τ E[KL(q‖q_ref)]        A = (r - mean) / (std + ε) over the votes sampled for one prompt

Its prompts are the votes that the clue stage's games ended with. Advantages and loss are TRL's own; this trainer samples the
votes as they are sampled in a game, rewards them, and reads the stage controller's rates from the votes that were sampled.
Not in the paper: ``skip_equal_groups``, which spares the update the groups that have no advantage to learn from, and
``vote_scale: batch``, by which std is that of all votes of the iteration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Any

from accelerate.utils import gather_object
from datasets import Dataset

from vision_zero.game.parsing import Unreadable, Vote, read_vote
from vision_zero.game.transcript import JUDGE, Move, Transcript, VoteRates
from vision_zero.learning.grpo import StageTrainer, grpo_config
from vision_zero.learning.job import StageJob, StageResult
from vision_zero.learning.measures import game_measures
from vision_zero.learning.processes import train_in_processes
from vision_zero.learning.shortage import make_room, shortage_named
from vision_zero.pairs.supply import PairSupply
from vision_zero.policy.loading import load_base
from vision_zero.policy.policy import Completion, user_message
from vision_zero.randomness import Seed
from vision_zero.rewards.decision import vote_reward
from vision_zero.rewards.group_advantage import EPSILON

Ballot = tuple[Vote | Unreadable, int]
"""A vote and the spy's seat."""


def run_decision_stage(job: StageJob, transcripts: Sequence[Transcript]) -> StageResult:
    """Train on the votes that end these games, if the state says so and games are left; else change nothing."""
    games = job.learning.games_per_iteration
    iterations = min(len(job.planned), len(transcripts) // games)
    if job.state.stage != "decision" or not iterations:
        return StageResult(job.state, tuple(transcripts), job.parent)
    job = replace(job, iterations=iterations)
    if job.learning.num_processes > 1:
        return train_in_processes("decision", job, transcripts)
    try:
        return train_on_votes(job, transcripts)
    finally:
        make_room()


def train_on_votes(job: StageJob, transcripts: Sequence[Transcript]) -> StageResult:
    """Vote and train in this process, alone or as one of those that train together; there are games for every iteration."""
    used = transcripts[: job.iterations * job.learning.games_per_iteration]
    rows = vote_rows(used, job.pairs, job.seed.child("voters"))
    with shortage_named("load", job.policy, job.learning):
        model, processor = load_base(job.policy)
        trainer = DecisionTrainer(model, processor, job, rows, transcripts)
    policy = trainer.run()
    return StageResult(trainer.progress.state, tuple(transcripts), policy)


def vote_rows(transcripts: Iterable[Transcript], pairs: PairSupply, seed: Seed) -> list[dict[str, Any]]:
    """One prompt a game, of a voter drawn by the seed: what one voter saw, the picture, and the answer."""
    rows = []
    for transcript in transcripts:
        voters: list[Move] = list(transcript.votes)
        move = voters[int(seed.child(transcript.game_id).generator().integers(len(voters)))]
        assert move.seat == JUDGE or move.seat in transcript.civilians
        rows.append(
            {
                "prompt": [{"role": "user", "content": move.prompt}],
                "image": pairs.by_id(transcript.pair_id).original,
                "game": transcript.game_id,
                "spy": transcript.spy,
                "players": transcript.players,
            }
        )
    return rows


class DecisionTrainer(StageTrainer):
    """GRPOTrainer with the vote's reward; ``games`` are those that the rows were taken from, in order."""

    def __init__(
        self, model: Any, processor: Any, job: StageJob, rows: list[dict[str, Any]], games: Sequence[Transcript] = ()
    ) -> None:
        self.games = games
        group, batch = job.learning.votes_per_prompt, job.learning.games_per_iteration
        arguments = grpo_config(job, replies=batch * group, group=group, drawing=job.policy.sampling.of("vote"))
        super().__init__(model, processor, job, arguments, Dataset.from_list(rows))

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Sample this iteration's votes, measure them, and let TRL prepare those that are trained."""
        with self.spending("vote"):
            votes = self._sample(inputs)
        ballots = [(read_vote(vote.text, row["players"])[1], row["spy"]) for vote, row in zip(votes, inputs, strict=True)]
        earned = [vote_reward(vote, spy, self.job.rewards) for vote, spy in ballots]
        earned_by_all = self._measure(ballots, earned, votes)
        trained = self._trained(earned)
        output = self.prepare(
            [inputs[number] for number in trained],
            [votes[number].tokens for number in trained],
            [earned[number] for number in trained],
        )
        # The loss is a mean over the replies; those that were skipped count in it with their advantage of 0.
        output["advantages"] *= len(trained) / len(inputs)
        if self.job.rewards.vote_scale == "batch":
            output["advantages"] /= stdev(earned_by_all) + EPSILON
        return output

    def _sample(self, rows: Sequence[dict[str, Any]]) -> list[Completion]:
        """A vote for every row of the batch; the rows of a group ask the same."""
        seed = self.job.seed.child("iteration", self.state.global_step, "process", self.accelerator.process_index)
        asked = [user_message(row["prompt"][0]["content"], row["image"]) for row in rows]
        names = [f"{row['game']} (vote)" for row in rows]
        return self.player().draw(asked, self.job.policy.sampling.of("vote"), seed.child("votes"), names)

    def _trained(self, earned: Sequence[float]) -> list[int]:
        """Which rows are trained: all, or whole groups that earned different rewards.

        Some that did not join them where another process has more: all train equally many.
        """
        groups = list(range(len(earned) // self.num_generations))
        if self.job.learning.skip_equal_groups:
            equal = equal_groups(earned, self.num_generations)
            wanted = max(1, *gather_object([equal.count(False)]))
            groups = sorted(sorted(groups, key=equal.__getitem__)[:wanted])
        return [group * self.num_generations + place for group in groups for place in range(self.num_generations)]

    def _measure(self, ballots: Sequence[Ballot], earned: Sequence[float], votes: Sequence[Completion]) -> Sequence[float]:
        """Advance the controller by the votes of all processes, and return what they all earned."""
        lengths = [len(vote.tokens) for vote in votes]
        of_all, earned_by_all, lengths_of_all = zip(*gather_object(list(zip(ballots, earned, lengths, strict=True))), strict=True)
        measures = vote_measures(of_all, earned_by_all, lengths_of_all, self.num_generations)
        self.progress.measured(rates_of(of_all), {**self._played(), **measures})
        return earned_by_all

    def _played(self) -> dict[str, float]:
        """Measures of the games that this iteration's prompts come from: rewards and clues by role, not the votes."""
        batch = self.job.learning.games_per_iteration
        start = (self.state.global_step - self.job.state.iteration) * batch
        measures = game_measures(self.games[start : start + batch], self.job.rewards)
        return {name: value for name, value in measures.items() if not name.startswith("vote/")}


def equal_groups(earned: Sequence[float], group: int) -> list[bool]:
    """For each prompt, ``group`` votes after one another: did they all earn the same?"""
    return [len(set(earned[start : start + group])) == 1 for start in range(0, len(earned), group)]


def vote_measures(ballots: Sequence[Ballot], earned: Sequence[float], lengths: Sequence[int], group: int) -> dict[str, float]:
    """What is known of sampled votes, ``group`` of them for a prompt.

    Returns:
        ``reward``: mean; ``zero_variance``: share of prompts whose votes all earned the same; ``vote/tokens``: mean length;
        ``vote/unreadable/<reason>``: share of replies that held no vote, by reason.
    """
    reasons = Counter(vote.reason for vote, _ in ballots if isinstance(vote, Unreadable))
    by_reason = {f"vote/unreadable/{reason}": number / len(ballots) for reason, number in sorted(reasons.items())}
    return {
        "reward": fmean(earned),
        "zero_variance": fmean(equal_groups(earned, group)),
        "vote/tokens": fmean(lengths),
        **by_reason,
    }


def rates_of(ballots: Sequence[Ballot]) -> VoteRates:
    """acc_t and na_t of sampled votes."""
    total = len(ballots)
    readable = [(vote.seat, spy) for vote, spy in ballots if isinstance(vote, Vote)]
    return VoteRates(
        votes=total,
        accuracy=sum(seat == spy for seat, spy in readable) / total,
        abstention=sum(seat is None for seat, _ in readable) / total,
        unreadable=1 - len(readable) / total,
    )
