"""The micro-batches of an update: rows of similar length together, as many as a budget of tokens allows.

TRL pads every row of an iteration to the longest, and trains equally many rows at a time. All of them go into one optimiser step,
so their order is free, and so are the borders between them: by length, each part is cut to its own longest row, short rows come
many at a time and long ones few, and the memory is the same for all. The update is that of the whole but for rounding, since the
loss of each part counts by its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from accelerate.utils import gather_object
from trl.trainer.utils import split_pixel_values_by_grid, unsplit_pixel_values_by_grid

Batch = dict[str, Any]
SHARE = "share"
"""Where a micro-batch says which share of the rows it holds."""
_MASKS = ("prompt_mask", "completion_mask")
_OF_PROMPTS = ("prompt_ids", "prompt_mask")
_OF_COMPLETIONS = ("completion_ids", "completion_mask", "ref_per_token_logps", "old_per_token_logps")
_OF_BOTH = ("token_type_ids", "mm_token_type_ids")
"""What has a column for each token."""


def microbatches(batch: Batch, tokens: int) -> list[Batch]:
    """The batch in parts, the shortest rows first; equally many parts in every process, so that they can wait for each other.

    Args:
        batch: what TRL makes of an iteration's replies: tensors and lists with one entry a row, pictures by their grid.
        tokens: columns times rows of a part at most; a row that is longer is a part by itself.
    """
    lengths = [batch[mask].sum(1) for mask in _MASKS]
    order = (lengths[0] + lengths[1]).argsort(stable=True)
    sizes_of = list(zip(*(length[order].tolist() for length in lengths), strict=True))
    ends = borders(sizes_of, tokens)
    ends = more_borders(ends, max(gather_object([len(ends)])))
    rows = {key: _reordered(value, order) for key, value in split_pixel_values_by_grid(batch).items()}
    return [
        {**_trimmed(unsplit_pixel_values_by_grid(_rows(rows, start, end))), SHARE: (end - start) / len(sizes_of)}
        for start, end in pairwise([0, *ends])
    ]


def borders(lengths: Sequence[tuple[int, int]], tokens: int) -> list[int]:
    """Where parts end, as row numbers, so that each but for lone rows stays within the budget when it is padded.

    Args:
        lengths: tokens of each row's prompt and reply.
    """
    ends, start, prompt, reply = [], 0, 0, 0
    for row, (of_prompt, of_reply) in enumerate(lengths):
        prompt, reply = max(prompt, of_prompt), max(reply, of_reply)
        if row > start and (row + 1 - start) * (prompt + reply) > tokens:
            ends.append(row)
            start, prompt, reply = row, of_prompt, of_reply
    return [*ends, len(lengths)]


def more_borders(ends: Sequence[int], parts: int) -> list[int]:
    """So many parts: those with the most rows are cut in two."""
    ends = list(ends)
    while len(ends) < parts:
        start, end = max(pairwise([0, *ends]), key=lambda part: part[1] - part[0])
        ends = sorted([*ends, (start + end) // 2])
    return ends


def sizes(parts: Sequence[Batch]) -> dict[str, float]:
    """Of all processes together ``update/tokens``: tokens of prompts and completions; ``update/padding``: share of the columns
    that hold none.
    """
    masks = [part[mask] for part in parts for mask in _MASKS]
    counts = gather_object([(int(sum(mask.sum() for mask in masks)), sum(mask.numel() for mask in masks))])
    tokens, columns = (sum(count) for count in zip(*counts, strict=True))
    return {"update/tokens": float(tokens), "update/padding": 1 - tokens / columns}


def weigh(metrics: dict[str, list[float]], shares: Sequence[float]) -> None:
    """Make one value of those that were noted for each micro-batch: their mean by rows."""
    for values in metrics.values():
        if len(values) == len(shares):
            values[:] = [sum(value * share for value, share in zip(values, shares, strict=True))]


def _reordered(value: Any, order: torch.Tensor) -> Any:
    if isinstance(value, list):
        return [value[place] for place in order.tolist()]
    return value[order] if isinstance(value, torch.Tensor) and value.ndim else value


def _rows(batch: Batch, start: int, end: int) -> Batch:
    return {
        key: value[start:end] if isinstance(value, list) or (isinstance(value, torch.Tensor) and value.ndim) else value
        for key, value in batch.items()
    }


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
