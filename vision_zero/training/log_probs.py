"""Log-probs of completions under policy and reference: in micro-batches, with a prompt that several completions share read once.

TRL computes them from full rows, one prompt per completion, and for the reference all padded to the longest. This trainer
computes them per micro-batch instead; loss and metrics are computed by TRL from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from accelerate.utils import gather_object
from trl import GRPOTrainer

from vision_zero.errors import TrainingError
from vision_zero.training.job import StageJob
from vision_zero.training.microbatches import PLACE, PROMPT, SEEN, SHARE, Batch, microbatches
from vision_zero.training.shared_prefix import read_once, share_prefix


class LogProbTrainer(GRPOTrainer):
    """GRPOTrainer that computes log-probs in micro-batches of ``job.learning.tokens_per_step`` tokens."""

    job: StageJob

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prompts: list[int] = []
        self._is_shared = False
        self._part: Batch = {}
        if self.job.learning.shared_prefix:
            if self.aux_loss_enabled:
                raise TrainingError(
                    "the loss that balances a model's experts counts all tokens of all rows: set learning.shared_prefix to false"
                )
            for model in filter(None, (self.model, self.ref_model)):
                share_prefix(model.get_base_model() if hasattr(model, "get_base_model") else model)

    def share_prompts(self, prompts: Sequence[int]) -> None:
        """Declare which rows of the next batch share a prompt: those with equal numbers. A collective call."""
        is_shared = self.job.learning.shared_prefix and len(set(prompts)) < len(prompts)
        # Layers in shares are gathered by all processes together: all of them read prompts apart from replies, or none.
        self._is_shared = any(gather_object([is_shared]))
        self._prompts = list(prompts) if self._is_shared else list(range(len(prompts)))

    def _compute_loss(self, model: Any, inputs: Batch) -> torch.Tensor:
        self._part = inputs
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        return loss * inputs[SHARE]

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, logits_to_keep: int, **inputs: Any
    ) -> Any:
        """TRL's log-probs and entropies: of the current micro-batch or, without gradients, of all completions."""
        if torch.is_grad_enabled():
            return self._log_probs_of(model, self._part, compute_entropy=True, compute_aux_loss=self.aux_loss_enabled)
        start = input_ids.shape[1] - logits_to_keep
        batch = {
            "prompt_ids": input_ids[:, :start],
            "prompt_mask": attention_mask[:, :start],
            "completion_ids": input_ids[:, start:],
            "completion_mask": attention_mask[:, start:],
            **{name: inputs[name] for name in SEEN if inputs.get(name) is not None},
            PROMPT: self._prompts,
        }
        log_probs = torch.zeros(len(input_ids), logits_to_keep, device=input_ids.device)
        for part in microbatches(batch, self.job.learning.tokens_per_step):
            scored = self._log_probs_of(model, part)[0]
            log_probs[part[PLACE], : scored.shape[1]] = scored.float()
        return log_probs, None, None

    def _log_probs_of(self, model: Any, part: Batch, **more: Any) -> Any:
        if self._is_shared:
            with self.accelerator.autocast():
                scored = model(shared=read_once(part))
            return scored.log_probs, scored.entropy, None
        ids, mask = (torch.cat([part[f"prompt_{name}"], part[f"completion_{name}"]], dim=1) for name in ("ids", "mask"))
        seen = {name: part.get(name) for name in SEEN}
        replies = part["completion_ids"].shape[1]
        return super()._get_per_token_logps_and_entropies(model, ids, mask, replies, **seen, **more)
