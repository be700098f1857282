"""The micro-batches of an update: rows of similar length together, without the padding that none of them needs.

TRL shuffles the rows of an iteration and pads every one of them to the longest. All of them go into one optimiser step, so their
order is free; by length, most micro-batches can be cut short, and the update is the same but for rounding. Each still has
``learning.rows_per_step`` rows: the longest replies, with which the last one is filled, decide on the memory as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from accelerate.utils import gather_object
from trl.trainer.utils import split_pixel_values_by_grid, split_tensor_dict, unsplit_pixel_values_by_grid

Batch = dict[str, Any]
_MASKS = ("prompt_mask", "completion_mask")
_OF_PROMPTS = ("prompt_ids", "prompt_mask")
_OF_COMPLETIONS = ("completion_ids", "completion_mask", "ref_per_token_logps", "old_per_token_logps")
_OF_BOTH = ("token_type_ids", "mm_token_type_ids")
"""What has a column for each token."""


def microbatches(batch: Batch, count: int) -> list[Batch]:
    """The batch in that many parts, the shortest rows first.

    Args:
        batch: what TRL makes of an iteration's replies: tensors and lists with one entry a row, pictures by their grid.
        count: a divisor of the number of rows.
    """
    lengths = batch["prompt_mask"].sum(1) + batch["completion_mask"].sum(1)
    order = lengths.argsort(stable=True)
    rows = {key: _reordered(value, order) for key, value in split_pixel_values_by_grid(batch).items()}
    return [_trimmed(unsplit_pixel_values_by_grid(part)) for part in split_tensor_dict(rows, count)]


def sizes(parts: Sequence[Batch]) -> dict[str, float]:
    """Of all processes together ``update/tokens``: tokens of prompts and completions; ``update/padding``: share of the columns
    that hold none.
    """
    masks = [part[mask] for part in parts for mask in _MASKS]
    counts = gather_object([(int(sum(mask.sum() for mask in masks)), sum(mask.numel() for mask in masks))])
    tokens, columns = (sum(count) for count in zip(*counts, strict=True))
    return {"update/tokens": float(tokens), "update/padding": 1 - tokens / columns}


def _reordered(value: Any, order: torch.Tensor) -> Any:
    if isinstance(value, list):
        return [value[place] for place in order.tolist()]
    return value[order] if isinstance(value, torch.Tensor) and value.ndim else value


def _trimmed(part: Batch) -> Batch:
    """Without the columns that are padding in every row: at the left of the prompts, at the right of the completions."""
    prompt = part["prompt_mask"].shape[1]
    start = prompt - int(part["prompt_mask"].sum(1).max())
    end = int(part["completion_mask"].sum(1).max())

    columns = {
        **dict.fromkeys(_OF_PROMPTS, slice(start, None)),
        **dict.fromkeys(_OF_COMPLETIONS, slice(end)),
        **dict.fromkeys(_OF_BOTH, slice(start, prompt + end)),
    }
    return {key: value[:, columns[key]] if key in columns else value for key, value in part.items()}
