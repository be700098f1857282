"""Shared prompts are computed once, forward and backward (Prefix Grouper, arXiv 2506.05433).

A forward pass has two halves in one autograd graph. The first reads each prompt except for its last token and keeps keys and
values; the second reads the completions, each after its prompt's last token, attending to those keys and values, in as many
passes as their lengths suggest (:mod:`vision_zero.training.microbatches`). Nothing is detached: gradients of all completions are
summed in the prompt's keys and values and flow back through the first half once.
Outputs and gradients equal those of full rows except for rounding; tests/training/test_shared_prefix.py checks every model
family.

Adapter dropout, if any, is sampled once per prompt instead of once per completion. Unlike in the paper, prompts and completions
are not packed into one row with a special mask: the model's attention and gradient checkpointing are used unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from types import MethodType
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from vision_zero.errors import TrainingError
from vision_zero.policy.families import FAMILIES, family_of
from vision_zero.policy.transformers_adapter import checkpoint_with_cache, position_ids, replace_method
from vision_zero.training.microbatches import COUNTS, PASSES, SEEN, Batch, Pass, first_rows, picked

_OF_TOKENS = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
"""Inputs with a column for each token; all others belong to images."""

Shared = dict[str, Any]
"""What a pass over replies with shared prompts is asked; see :func:`share_prefix`."""


class PromptLayer(DynamicLayer):
    """A layer's keys and values of prompts, as the layer makes them.

    To the layer they are not there yet, so that a checkpoint can compute it again in the backward pass.
    """

    keys: Any

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Keep them, the first time, and hand them back."""
        if self.keys is None:
            self.keys, self.values = key_states, value_states
        return key_states, value_states


class ReplyLayer(DynamicLayer):
    """A layer's keys and values for replies: those of each reply's prompt, and then its own, which are not kept.

    Args:
        prompts: the layer after it has read the prompts.
        rows: the prompt that each reply answers, by its place among them.
    """

    def __init__(self, prompts: PromptLayer, rows: torch.Tensor) -> None:
        super().__init__()
        self.keys, self.values, self.rows = prompts.keys, prompts.values, rows
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Both of shape (replies, heads, tokens of prompt and reply, head size)."""
        own = ((self.keys, key_states), (self.values, value_states))
        return tuple(torch.cat([prompt.index_select(0, self.rows), reply], dim=-2) for prompt, reply in own)


def share_prefix(model: Any) -> None:
    """From now on ``model(shared={"prompts", "rows", "replies", "mask", "passes"})`` scores replies behind prompts that are read
    once.

    ``prompts`` are inputs of the model for left-padded prompts, ``rows`` says which of them each reply answers, ``replies`` and
    ``mask`` are right-padded, of shape (replies, tokens), and ``passes`` say which of them are read together. The answer is TRL's
    fused head's: ``log_probs`` and, where the head computes it, ``entropy``, of that same shape, 0 where the mask is.

    Args:
        model: a base that TRL has given its fused head.

    Raises:
        TrainingError: it is of none of those families, or its layers keep less of a prompt than keys and values of all tokens.
    """
    family = model.config.model_type
    if not family_of(model.config).shares_prompts:
        sharing = ", ".join(name for name, known in FAMILIES.items() if known.shares_prompts)
        raise TrainingError(
            f"prompts cannot be shared by their replies in models of the family {family}, only in {sharing}: "
            "set learning.shared_prefix to false"
        )
    kept = DynamicCache(config=model.config.get_text_config(decoder=True)).layers
    if not all(type(layer) is DynamicLayer for layer in kept):
        raise TrainingError(
            f"this {family} has layers without full attention, behind which a prompt cannot be shared by its replies: "
            "set learning.shared_prefix to false"
        )
    for layer in model.get_decoder().layers:
        checkpoint_with_cache(layer)  # updates of the layers above can be repeated
    fused = model.forward

    @wraps(fused)
    def forward(self: Any, *args: Any, shared: Shared | None = None, **kwargs: Any) -> Any:
        return fused(*args, **kwargs) if shared is None else _scored(self, fused, **shared)

    replace_method(model, "forward", MethodType(forward, model))


def read_once(microbatch: Batch) -> Shared:
    """Of a micro-batch: each of its prompts once, and all of its replies."""
    first, rows = first_rows(microbatch)
    distinct = picked({name: microbatch[name] for name in ("prompt_ids", "prompt_mask", *SEEN) if name in microbatch}, first)
    ids, mask = distinct.pop("prompt_ids"), distinct.pop("prompt_mask")
    seen = {name: value for name, value in distinct.items() if name not in COUNTS}
    of_prompts = {name: value[:, : ids.shape[1]] if name in _OF_TOKENS else value for name, value in seen.items()}
    return {
        "prompts": {"input_ids": ids, "attention_mask": mask, **of_prompts},
        "rows": torch.tensor(rows, device=ids.device),
        "replies": microbatch["completion_ids"],
        "mask": microbatch["completion_mask"],
        "passes": microbatch[PASSES],
    }


def _scored(
    model: Any,
    fused: Callable[..., Any],
    prompts: dict[str, torch.Tensor],
    rows: torch.Tensor,
    replies: torch.Tensor,
    mask: torch.Tensor,
    passes: Sequence[Pass],
) -> Any:
    """Read the prompts, then the replies pass by pass; returns the fused head's answer for all of them."""
    positions = position_ids(model, prompts)
    read = {name: value[:, :-1] if name in _OF_TOKENS else value for name, value in prompts.items()}
    cache = Cache(layer_class_to_replicate=PromptLayer)
    model.base_model(**read, position_ids=positions[..., :-1], past_key_values=cache, use_cache=False)
    scored = []
    for own, columns in passes:
        places = torch.tensor(own, device=replies.device)
        own_replies, own_mask = replies[places, :columns], mask[places, :columns]
        scored.append(fused(**_behind_prompts(prompts, positions, cache, rows[places], own_replies, own_mask)))
    asked = [name for name in ("log_probs", "entropy") if name in scored[0]]
    scored_rows = [row for own, _ in passes for row in own]
    order = [scored_rows.index(row) for row in range(len(replies))]
    return type(scored[0])(**{name: _joined([each[name] for each in scored], replies.shape[1])[order] for name in asked})


def _behind_prompts(
    prompts: dict[str, torch.Tensor],
    positions: torch.Tensor,
    cache: Cache,
    rows: torch.Tensor,
    replies: torch.Tensor,
    mask: torch.Tensor,
) -> dict[str, Any]:
    """The fused head's arguments for one pass: replies to the prompts of those ``rows``."""
    steps = torch.arange(replies.shape[1], device=replies.device)
    return {
        # Each token is predicted from the one before it; from the last token of a reply nothing is.
        "input_ids": torch.cat([prompts["input_ids"][rows, -1:], replies[:, :-1]], dim=1),
        "attention_mask": torch.cat([prompts["attention_mask"][rows], mask[:, :-1]], dim=1),
        "position_ids": positions[..., -1:][..., rows, :] + steps,
        "past_key_values": Cache(layers=[ReplyLayer(layer, rows) for layer in cache.layers]),
        "shift_labels": replies.masked_fill(mask == 0, -100),
        "fused_lm_head": True,
    }


def _joined(scores: Sequence[torch.Tensor], columns: int) -> torch.Tensor:
    """Scores of all passes, one after the other, with so many columns; all passes stay in the graph of gradients."""
    return torch.cat([pad(score, (0, columns - score.shape[1])) for score in scores])
