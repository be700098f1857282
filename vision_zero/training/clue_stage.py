r"""The clue stage: self-play with role advantages (arXiv 2509.25541, equation of L_clue).

    L_clue = -E[(1/n) Σ_k A_k log π(u_k)] + τ E[KL(π‖π_ref)]

Each iteration plays new games on-policy, computes rewards from the votes, and takes one optimiser step on all clues. Every clue
of a seat has its seat's advantage (:mod:`vision_zero.rewards.role_advantage`) instead of TRL's; there is no group normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch

from vision_zero.game.transcript import Transcript, vote_rates
from vision_zero.rewards.role_advantage import batch_advantages
from vision_zero.rewards.shuffled import shuffled_among_games
from vision_zero.training.job import StageJob
from vision_zero.training.loop import ScoredGames, StageLoop
from vision_zero.training.metrics import game_metrics
from vision_zero.training.microbatches import PLACE, Batch
from vision_zero.training.updates import Turn


class ClueLoop(StageLoop):
    """Trains the clues of games: a group is all clues of one game."""

    kind: ClassVar[Literal["clue", "vote"]] = "clue"

    def __init__(self, model: Any, processor: Any, job: StageJob) -> None:
        self._is_spy: list[bool] = []
        self._by_role: dict[str, torch.Tensor] = {}
        super().__init__(model, processor, job)
        self.observer = self.measure_by_role

    @property
    def group(self) -> int:
        return (self.job.game.civilians + 1) * self.job.game.rounds

    def play(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Transcript], list[Turn]]:
        """Play this iteration's games with the policy in all seats; the clues are trained."""
        with self.timer("play"):
            games, turns = self.rollout(rows, self.player())
        return games, [(request, reply) for request, reply in turns if request.kind == "clue"]

    def score(self, games: Sequence[Transcript], turns: Sequence[Turn]) -> ScoredGames:
        """Advantages by game and seat. All processes see all games in the same order, so their baselines agree."""
        advantages, baselines = batch_advantages(games, self.progress.state.baselines, self.job.rewards)
        if self.job.rewards.shuffled:
            spies = [game.spy for game in games]
            advantages = shuffled_among_games(advantages, spies, self.iteration_seed.child("shuffled"))
        by_seat = {game.game_id: own for game, own in zip(games, advantages, strict=True)}
        metrics = game_metrics(games, self.job.rewards, self.job.opener)
        metrics["zero_variance"] = metrics["clue/zero_variance"]
        self._is_spy = [request.role == "spy" for request, _ in turns]
        return ScoredGames(
            turns=turns,
            rewards=[0.0] * len(turns),  # to TRL, whose advantages are replaced
            advantages=[by_seat[request.game_id][request.seat] for request, _ in turns],
            baselines=baselines,
            rates=vote_rates(games),
            metrics=metrics,
        )

    def measure_by_role(self, microbatch: Batch, log_probs: torch.Tensor, entropies: torch.Tensor) -> None:
        """Add a micro-batch to the sums of KL and entropy by role. A collective call."""
        accelerator = self.trainer.accelerator
        values = {"entropy": entropies}
        if "ref_per_token_logps" in microbatch:
            gap = microbatch["ref_per_token_logps"] - log_probs
            values["kl"] = gap.exp() - gap - 1
        is_spy = torch.tensor([self._is_spy[row] for row in microbatch[PLACE]], device=log_probs.device)
        for role, is_role in (("spy", is_spy), ("civilian", ~is_spy)):
            mask = microbatch["completion_mask"] * is_role.unsqueeze(1)
            for name, value in values.items():
                sums = accelerator.reduce(torch.stack([(value * mask).sum(), mask.sum().to(value.dtype)]))
                key = f"clue/{role}/{name}"
                self._by_role[key] = self._by_role[key] + sums if key in self._by_role else sums

    def added_logs(self) -> dict[str, float]:
        """Also KL and entropy of the clues by role, as means over all tokens of the iteration."""
        by_role = {name: (total / tokens).item() for name, (total, tokens) in self._by_role.items() if tokens}
        self._by_role.clear()
        return {**super().added_logs(), **by_role}
