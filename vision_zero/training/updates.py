"""An update of the policy: TRL's loss on completions that were sampled before, micro-batch by micro-batch.

    L = (1/n) Σ_k (1/|u_k|) Σ_t [τ k3_kt - A_k ratio_kt]     ratio = π/π_old = 1, since each batch gives one update

TRL pads every row of an iteration to the longest and reads each with its prompt. Here rows are read in micro-batches of similar
length, and a prompt that several completions share is read once; loss and metrics are computed by TRL from those log-probs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from accelerate.utils import gather_object

from vision_zero.config.learning import LearningConfig
from vision_zero.errors import TrainingError
from vision_zero.game.interface import Reply, Request
from vision_zero.policy.chats import user_message
from vision_zero.policy.policy import Policy
from vision_zero.policy.prefill import distinct, unpadded
from vision_zero.training.microbatches import PLACE, PROMPT, RATIO, SEEN, SHARE, Batch, microbatches, sizes, token_shares, weigh
from vision_zero.training.out_of_memory import PhaseTimer
from vision_zero.training.shared_prefix import read_once, share_prefix
from vision_zero.training.trl_adapter import LogProbs, TrlTrainer

Turn = tuple[Request, Reply]
"""A request and the reply to it."""

Observer = Callable[[Batch, torch.Tensor, torch.Tensor], None]
"""Sees a micro-batch with the log-probs and entropies of its completions, each of shape (rows, tokens)."""


class UpdateTrainer(TrlTrainer):
    """Makes batches of sampled completions, and the gradients of an update from each.

    Args:
        arguments: those of :class:`TrlTrainer`.
        learning: the stage's settings.
        timer: measures the phases "reference" (all log-probs without gradients) and "update".

    Attributes:
        sizes: of the last update, see :func:`vision_zero.training.microbatches.sizes`.
    """

    def __init__(self, *arguments: Any, learning: LearningConfig, timer: PhaseTimer) -> None:
        self.learning, self.timer = learning, timer
        self.sizes: dict[str, float] = {}
        self._prompts: list[int] = []
        self._is_shared = False
        self._microbatch: Batch = {}
        self._scored: LogProbs | None = None
        super().__init__(*arguments)
        if learning.shared_prefix:
            if self.aux_loss_enabled:
                raise TrainingError(
                    "the loss that balances a model's experts counts all tokens of all rows: set learning.shared_prefix to false"
                )
            for each in filter(None, (self.model, self.ref_model)):
                share_prefix(each.get_base_model() if hasattr(each, "get_base_model") else each)

    def batch(self, turns: Sequence[Turn], rewards: Sequence[float], policy: Policy) -> Batch:
        """The batch of an update: this process's turns, with the log-probs of the reference. A collective call.

        Args:
            rewards: of each turn; the batch holds their advantages over groups of ``num_generations`` in a row.
            policy: encodes the prompts.

        Raises:
            TrainingError: sampling is to be corrected for, and a reply came without its log-probs.
        """
        chats = [user_message(request.prompt, request.image) for request, _ in turns]
        numbers, first = distinct(chats)
        prompts = unpadded(policy.encode([chats[place] for place in first]))
        is_shared = self.learning.shared_prefix and len(first) < len(chats)
        # Layers in shares are gathered by all processes together: all of them read prompts apart from replies, or none.
        self._is_shared = any(gather_object([is_shared]))
        self._prompts = list(numbers)
        rows = [
            {"prompt": [{"role": "user", "content": request.prompt}], "image": request.image, "reward": reward}
            for (request, _), reward in zip(turns, rewards, strict=True)
        ]
        replies = [reply for _, reply in turns]
        batch = self.made_batch(
            rows,
            [prompts[number] for number in numbers],
            [list(reply.tokens) for reply in replies],
            sampling_log_probs(replies) if self.use_vllm else None,
        )
        if RATIO in batch:
            self.loss_metrics["sampling/limited"] = [self._limited(batch)]
        return {**batch, PROMPT: self._prompts}

    def update(self, batch: Batch, observe: Observer | None = None) -> torch.Tensor:
        """Fill the gradients of one update; returns the loss. A collective call."""
        batches = microbatches(batch, self.learning.tokens_per_step, shared=self._is_shared)
        self.sizes = sizes(batches)
        model, losses = self.model_wrapped, []
        with self.timer("update"):
            for number, microbatch in enumerate(batches, 1):
                # Gradients are exchanged once, with the last; in shares, none is ever kept whole.
                is_exchanged = number == len(batches) or self.learning.sharded
                with nullcontext() if is_exchanged else self.accelerator.no_sync(model):
                    losses.append(self._backward(model, microbatch, observe))
        weigh(self.loss_metrics, token_shares(batches))  # TRL's are means over the tokens of a micro-batch in all processes
        return torch.stack(losses).sum()

    def _backward(self, model: Any, microbatch: Batch, observe: Observer | None) -> torch.Tensor:
        """Add the gradient of one micro-batch, weighted by its share of the rows; returns its share of the loss."""
        model.train()
        self._microbatch = microbatch
        with self.compute_loss_context_manager():
            loss: torch.Tensor = self.compute_loss(model, microbatch) * microbatch[SHARE]
        if observe is not None and self._scored is not None:
            log_probs, entropies, _ = self._scored
            assert entropies is not None
            with torch.no_grad():
                observe(microbatch, log_probs, entropies)
        self._scored = None
        self.accelerator.backward(loss)
        return loss.detach()

    def _limited(self, batch: Batch) -> float:
        """The share of replies, or in token modes of tokens, whose ratio is at a bound, or 0 for being beyond one. A collective
        call."""
        ratio, of_settings = batch[RATIO], self.args
        bounds = (of_settings.vllm_importance_sampling_clip_min, of_settings.vllm_importance_sampling_clip_max)
        limits = torch.tensor([0.0, *filter(None, bounds)], dtype=ratio.dtype, device=ratio.device)
        counted = batch["completion_mask"].bool() if ratio.shape[1] > 1 else torch.ones_like(ratio, dtype=torch.bool)
        limited = torch.isin(ratio, limits) & counted
        number, total = self.accelerator.reduce(torch.stack([limited.sum(), counted.sum()])).tolist()
        return float(number / total)

    def log_probs(
        self, model: Any, ids: torch.Tensor, mask: torch.Tensor, completion_tokens: int, inputs: Mapping[str, Any]
    ) -> LogProbs:
        """TRL's log-probs and entropies: of the current micro-batch or, without gradients, of all completions.

        The latter are asked for the reference, and for the policy, too, where a server samples.
        """
        if torch.is_grad_enabled():
            self._scored = self._log_probs_of(
                model, self._microbatch, compute_entropy=True, compute_aux_loss=self.aux_loss_enabled
            )
            return self._scored
        start = ids.shape[1] - completion_tokens
        batch = {
            "prompt_ids": ids[:, :start],
            "prompt_mask": mask[:, :start],
            "completion_ids": ids[:, start:],
            "completion_mask": mask[:, start:],
            **{name: inputs[name] for name in SEEN if inputs.get(name) is not None},
            PROMPT: self._prompts,
        }
        log_probs = torch.zeros(len(ids), completion_tokens, device=ids.device)
        with self.timer("reference"):
            for microbatch in microbatches(batch, self.learning.tokens_per_step, shared=self._is_shared):
                scored = self._log_probs_of(model, microbatch)[0]
                log_probs[microbatch[PLACE], : scored.shape[1]] = scored.float()
        return log_probs, None, None

    def _log_probs_of(self, model: Any, microbatch: Batch, **asked: bool) -> LogProbs:
        if self._is_shared:
            with self.accelerator.autocast():
                scored = model(shared=read_once(microbatch))
            return scored.log_probs, scored.entropy, None
        ids, mask = (
            torch.cat([microbatch[f"prompt_{name}"], microbatch[f"completion_{name}"]], dim=1) for name in ("ids", "mask")
        )
        seen = {name: microbatch.get(name) for name in SEEN}
        return self.row_log_probs(model, ids, mask, microbatch["completion_ids"].shape[1], seen, **asked)


def sampling_log_probs(replies: Sequence[Reply]) -> list[list[float]]:
    """The log-probs of each reply's tokens when they were sampled.

    Raises:
        TrainingError: a reply has none.
    """
    if not all(len(reply.log_probs) == len(reply.tokens) for reply in replies):
        raise TrainingError(
            "replies came without the log-probs that they were sampled with: let policy.server sample them, or set "
            "policy.server.importance_sampling null"
        )
    return [list(reply.log_probs) for reply in replies]
