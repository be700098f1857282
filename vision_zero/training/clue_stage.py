r"""The clue stage: self-play with role advantages (arXiv 2509.25541, equation of L_clue).

    L_clue = -E[(1/n) Σ_k A_k log π(u_k)] + τ E[KL(π‖π_ref)]

Each iteration plays new games on-policy, in lockstep, computes rewards from the votes, and takes one optimiser step on all clues.
TRL does padding, images, log-probs, loss and gradient accumulation; this trainer hands it the completions that were sampled
during play (the same token ids, never re-tokenised) and replaces its advantages. There is no group normalisation.
"""

from __future__ import annotations

from typing import Any

import torch

from vision_zero.game.transcript import Transcript, vote_rates
from vision_zero.policy.loading import load_base
from vision_zero.rewards.role_advantage import batch_advantages
from vision_zero.rewards.shuffled import shuffled_among_games
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.launcher import train_in_processes
from vision_zero.training.metrics import game_metrics
from vision_zero.training.out_of_memory import free_memory, out_of_memory_named
from vision_zero.training.rollouts import RolloutTrainer, Turn


def run_clue_stage(job: StageJob) -> StageResult:
    """Train the clue stage if it is the current stage; otherwise no game is played and the policy is returned unchanged."""
    if job.state.stage != "clue" or not job.planned:
        return StageResult(job.state, (), job.parent)
    if job.learning.num_processes > 1:
        return train_in_processes("clue", job)
    try:
        return train_on_clues(job)
    finally:
        free_memory()


def train_on_clues(job: StageJob) -> StageResult:
    """Play and train in this process, alone or as one rank of several."""
    with out_of_memory_named("load", job.policy, job.learning):
        model, processor = load_base(job.policy)
        trainer = ClueTrainer(model, processor, job)
    policy = trainer.run()
    return StageResult(trainer.progress.state, tuple(trainer.transcripts), policy)


class ClueTrainer(RolloutTrainer):
    """GRPOTrainer on the clues of games: a group is all clues of one game."""

    def __init__(self, model: Any, processor: Any, job: StageJob) -> None:
        self._said: list[Turn] = []
        self._scored: Any = None
        self._by_role: dict[str, torch.Tensor] = {}
        super().__init__(model, processor, job, kind="clue", group=(job.game.civilians + 1) * job.game.rounds)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Play this iteration's games, let TRL prepare the clues as its batch, and set the role advantages."""
        with self.spending("play"):
            transcripts, record = self.play(inputs, self.player())
        advantages = self._score(transcripts)
        self._said = [(request, reply) for request, reply in record if request.kind == "clue"]
        # To TRL every clue earns 0: the advantages, which come from the game, are put in afterwards.
        tokens = [reply.tokens for _, reply in self._said]
        output = self.prepare(self.asked(self._said), tokens, [0.0] * len(tokens))
        by_clue = [advantages[request.game_id][request.seat] for request, _ in self._said]
        device = self.accelerator.device
        output["advantages"] = torch.tensor(by_clue, dtype=torch.float32, device=device)
        output["is_spy"] = torch.tensor([request.role == "spy" for request, _ in self._said], device=device)
        return output

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        self._scored = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        return self._scored

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        self._add_by_role(inputs)
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """TRL's log plus KL and entropy of the clues by role, as means over all tokens of the iteration."""
        logs.update({name: (total / tokens).item() for name, (total, tokens) in self._by_role.items() if tokens})
        self._by_role.clear()
        super().log(logs, start_time)

    @torch.no_grad()
    def _add_by_role(self, inputs: dict[str, Any]) -> None:
        """Accumulate a batch's sums from the log-probs that its loss was computed from."""
        log_probs, entropies, _ = self._scored
        values = {"entropy": entropies}
        if "ref_per_token_logps" in inputs:
            gap = inputs["ref_per_token_logps"] - log_probs
            values["kl"] = gap.exp() - gap - 1
        for role, is_role in (("spy", inputs["is_spy"]), ("civilian", ~inputs["is_spy"])):
            mask = inputs["completion_mask"] * is_role.unsqueeze(1)
            for name, value in values.items():
                part = self.accelerator.reduce(torch.stack([(value * mask).sum(), mask.sum().to(value.dtype)]))
                key = f"clue/{role}/{name}"
                self._by_role[key] = self._by_role[key] + part if key in self._by_role else part

    def _score(self, transcripts: list[Transcript]) -> dict[str, dict[int, float]]:
        """Advantages by game and seat. All ranks see all games in the same order, so their baselines agree."""
        advantages, baselines = batch_advantages(transcripts, self.progress.state.baselines, self.job.rewards)
        if self.job.rewards.shuffled:
            spies = [transcript.spy for transcript in transcripts]
            advantages = shuffled_among_games(advantages, spies, self.iteration_seed.child("shuffled"))
        measures = game_metrics(transcripts, self.job.rewards, self.job.opener)
        measures["zero_variance"] = measures["clue/zero_variance"]
        self.progress.measured(vote_rates(transcripts), measures, baselines)
        return {transcript.game_id: by_seat for transcript, by_seat in zip(transcripts, advantages, strict=True)}
