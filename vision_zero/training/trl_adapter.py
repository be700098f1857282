"""The one module that reaches beyond TRL's public interface: GRPOTrainer for completions that were sampled elsewhere.

Of GRPOTrainer and its base, transformers' Trainer, this is overridden:

- ``training_step``: an iteration of self-play instead of a forward and backward pass of one batch.
- ``log``: the loop's metrics are logged with TRL's.
- ``create_model_card``: TRL's card contains paths of this machine.
- ``_get_per_token_logps_and_entropies``: TRL computes log-probs row by row; :mod:`vision_zero.training.updates` in
  micro-batches of similar length, with a prompt that several completions share read once. Loss and batch both call it.
- ``_load_from_checkpoint``: see :class:`vision_zero.policy.transformers_adapter.StrictLoading`.

This is called or read, and has no public counterpart:

- ``_generate_and_score_completions``: makes the loss's batch (padding, images, reference log-probs). Its completions come from
  ``rollout_func``, which is public but experimental, and cannot replace it: TRL takes images from the rows, not from it.
- ``use_vllm``, set after the constructor, and ``_last_loaded_step``: TRL corrects for another sampler only where it runs vLLM
  itself, as it does not here (:mod:`vision_zero.policy.vllm`), and would hand its weights over before each batch.
- ``_metrics``: what the loss has measured, once for each micro-batch, to be weighted by their tokens.
- the ``forward`` that TRL puts onto the model, its fused output layer (``shift_labels``, ``fused_lm_head``, and an answer with
  ``log_probs`` and ``entropy``).
- ``add_fused_lm_head``, ``split_pixel_values_by_grid`` and ``unsplit_pixel_values_by_grid``, helpers that TRL does not document.

``tests/training/test_trl_contract.py`` holds each of these names with its signature and what is relied on, and says after an
upgrade which of them changed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, ProgressCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import add_fused_lm_head, split_pixel_values_by_grid, unsplit_pixel_values_by_grid

from vision_zero.policy.transformers_adapter import StrictLoading, restore_method

if TYPE_CHECKING:
    from vision_zero.training.loop import StageLoop

__all__ = [
    "TrlTrainer",
    "add_fused_head",
    "remove_fused_head",
    "split_pixel_values_by_grid",
    "unsplit_pixel_values_by_grid",
]

# TRL says that it ignores what it then loads the reference by.
logging.getLogger("trl.trainer.grpo_trainer").addFilter(
    lambda record: "`model_init_kwargs` will be ignored" not in record.getMessage()
)

LogProbs = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]
"""Log-probs and entropies, each of shape (rows, tokens), and the loss that balances experts; the last two where asked for."""


class TrlTrainer(StrictLoading, GRPOTrainer):
    """GRPOTrainer driven by a loop: it calls ``iterate``, ``load_weights``, ``added_logs`` and ``write_card``.

    Args:
        rows: of the data set; TRL hands them out to the processes, ``num_generations`` times each.
        lora: an adapter for TRL to add to the base. Never a PeftModel: TRL would anchor the KL to the step's start, not the base.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        arguments: GRPOConfig,
        rows: list[dict[str, Any]],
        lora: LoraConfig | None,
        loop: StageLoop,
        callbacks: list[TrainerCallback],
    ) -> None:
        self.loop = loop
        self._sampled: dict[str, Any] = {}
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_list(rows),
            processing_class=processor,
            peft_config=lora,
            callbacks=callbacks,
            reward_funcs=_column,
            rollout_func=self._hand_back,
        )
        self.use_vllm = arguments.vllm_importance_sampling_correction
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)

    def log_probs(
        self, model: Any, ids: torch.Tensor, mask: torch.Tensor, completion_tokens: int, inputs: Mapping[str, Any]
    ) -> LogProbs:
        """Log-probs of completions: with gradients for the loss, without for the reference.

        Args:
            ids: of prompts and completions, (rows, tokens).
            mask: which of them count, (rows, tokens).
            completion_tokens: columns of the completions, at the right.
            inputs: the model's other inputs.
        """
        raise NotImplementedError

    def row_log_probs(
        self, model: Any, ids: torch.Tensor, mask: torch.Tensor, completion_tokens: int, inputs: Mapping[str, Any], **asked: bool
    ) -> LogProbs:
        """TRL's own log-probs, each row with its prompt; ``asked`` may be ``compute_entropy`` and ``compute_aux_loss``."""
        scored: LogProbs = super()._get_per_token_logps_and_entropies(model, ids, mask, completion_tokens, **inputs, **asked)
        return scored

    def made_batch(
        self,
        rows: Sequence[Mapping[str, Any]],
        prompts: Sequence[list[int]],
        completions: Sequence[list[int]],
        log_probs: Sequence[list[float]] | None,
    ) -> dict[str, Any]:
        """TRL's batch of sampled completions: from their token ids, never from their text.

        Args:
            rows: ``prompt``, ``image`` and ``reward`` of each; TRL makes group advantages of the rewards.
            prompts: token ids of each row's prompt.
            completions: token ids of each row's completion.
            log_probs: of the completions' tokens when they were sampled; None if this process sampled them.
        """
        self._sampled = {"prompt_ids": list(prompts), "completion_ids": list(completions), "logprobs": log_probs}
        self._last_loaded_step = self.state.global_step  # the server has sampled with this iteration's weights
        batch: dict[str, Any] = self._generate_and_score_completions([dict(row) for row in rows])
        return batch

    @property
    def loss_metrics(self) -> dict[str, list[float]]:
        """What TRL has measured since the last log, by name: a value for each loss, or one for the batch."""
        metrics: dict[str, list[float]] = self._metrics["train"]
        return metrics

    def _hand_back(self, prompts: Sequence[Any], trainer: Any) -> dict[str, Any]:
        """TRL's ``rollout_func``."""
        return self._sampled

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        model.train()  # as transformers does: a model that was just loaded is not, and TRL files its metrics by it
        return self.loop.iterate(inputs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        super().log({**logs, **self.loop.added_logs()}, start_time)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        if self.args.should_save:
            self.loop.write_card()

    def load_weights(self, folder: Path) -> None:
        self.loop.load_weights(folder)

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        compute_aux_loss: bool = False,
        **inputs: Any,
    ) -> LogProbs:
        return self.log_probs(model, input_ids, attention_mask, logits_to_keep, inputs)


def add_fused_head(model: Any) -> None:
    """Give a model the output layer that TRL gives to those that it trains."""
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))


def remove_fused_head(model: Any) -> None:
    """Take TRL's fused output layer off a copy of the model that is trained: the copied forward calls the original's weights."""
    restore_method(model, "forward")


def _column(completions: list[Any], reward: list[float], **columns: Any) -> list[float]:
    """TRL's reward function: the rewards were computed before, and are a column of the rows."""
    return reward
