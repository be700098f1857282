"""How much of the training is lost when weights are rounded to half precision.

A weight in bfloat16 has 8 significant bits: an update of less than a 512th of it is rounded away. LoRA's updates after a few
dozen steps are of that size. With W the base's weight, D what training added and r(·) rounding, the loss is
|r(W + D) - r(W) - D| / |D| over all changed weights, in the Euclidean norm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

Change = tuple[torch.Tensor, torch.Tensor]
"""A weight before and after training."""


@torch.no_grad()
def lost_by_rounding(changes: Iterator[Change], dtype: torch.dtype) -> float:
    """Relative error of the change after rounding to ``dtype``; 0 if nothing changed.

    It can exceed 1 for a base whose weights are not half precision numbers: a small change may be rounded up.
    """
    lost = learned = 0.0
    for before, after in changes:
        change, left = after - before, after.to(dtype).float() - before.to(dtype).float()
        learned += float(change.square().sum())
        lost += float((left - change).square().sum())
    return (lost / learned) ** 0.5 if learned else 0.0


def changed(base: Any, model: Any) -> Iterator[Change]:
    """The weights of a model that differ from those of its base, in float32."""
    before = dict(base.named_parameters(remove_duplicate=False))  # an output layer may not be tied any more
    for name, after in model.named_parameters():
        if name in before and not torch.equal(before[name], after):
            yield before[name], after
