r"""The decision stage: TRL's GRPOTrainer on votes (arXiv 2509.25541, equation of L_dec).

    L_dec = -E[A log q(vote)] + τ E[KL(q‖q_ref)]        A = (r - mean) / (std + ε) over the votes sampled for one prompt

Its prompts are the votes that the clue stage's games ended with. Advantages and loss are TRL's own; this trainer samples the
votes as they are sampled in a game, brings the reward, and reads the stage controller's rates from the votes that were sampled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean
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
from vision_zero.policy.policy import Messages
from vision_zero.randomness import Seed
from vision_zero.rewards.decision import vote_reward

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
        self._asked: list[str] = []
        group, batch = job.learning.votes_per_prompt, job.learning.games_per_iteration
        arguments = grpo_config(job, replies=batch * group, group=group, max_tokens=job.policy.sampling.max_vote_tokens)
        super().__init__(
            model,
            processor,
            job,
            arguments,
            Dataset.from_list(rows),
            reward_funcs=self._reward,
            rollout_func=self._sample_votes,
        )

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Keep which games are asked about, so that an error can name one; the rest is TRL's."""
        self._asked = [f"{row['game']} (vote)" for row in inputs]
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        return output

    def _sample_votes(self, prompts: list[Messages], trainer: Any) -> dict[str, Any]:
        """TRL's rollout hook: every row of the batch answered; the rows of a group ask the same."""
        seed = self.job.seed.child("iteration", self.state.global_step, "process", self.accelerator.process_index)
        with self.spending("vote"):
            limit = self.job.policy.sampling.max_vote_tokens
            votes = self.player().complete(prompts, limit, seed.child("votes"), self._asked)
        return self.hand_back(prompts, [vote.tokens for vote in votes])

    def _reward(
        self, completions: list[Any], completion_ids: list[list[int]], spy: list[int], players: list[int], **columns: Any
    ) -> list[float]:
        votes = [read_vote(completion[0]["content"], seats)[1] for completion, seats in zip(completions, players, strict=True)]
        ballots: list[Ballot] = gather_object(list(zip(votes, spy, strict=True)))
        lengths: list[int] = gather_object([len(ids) for ids in completion_ids])
        self.progress.measured(rates_of(ballots), {**self._played(), **vote_measures(ballots, lengths)})
        return [vote_reward(vote, seat, self.job.rewards) for vote, seat in zip(votes, spy, strict=True)]

    def _played(self) -> dict[str, float]:
        """Measures of the games that this iteration's prompts come from: rewards and clues by role, not the votes."""
        batch = self.job.learning.games_per_iteration
        start = (self.state.global_step - self.job.state.iteration) * batch
        measures = game_measures(self.games[start : start + batch], self.job.rewards)
        return {name: value for name, value in measures.items() if not name.startswith("vote/")}


def vote_measures(ballots: Sequence[Ballot], lengths: Sequence[int]) -> dict[str, float]:
    """``vote/tokens``: mean length of the sampled votes; ``vote/unreadable/<reason>``: share that held no vote, by reason."""
    reasons = Counter(vote.reason for vote, _ in ballots if isinstance(vote, Unreadable))
    by_reason = {f"vote/unreadable/{reason}": number / len(ballots) for reason, number in sorted(reasons.items())}
    return {"vote/tokens": fmean(lengths), **by_reason}


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
