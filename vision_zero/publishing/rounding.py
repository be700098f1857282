"""How much of what was learned is left when weights are rounded to half precision.

A weight in bfloat16 has 8 significant bits: an update of less than a 512th of it is rounded away. LoRA's updates after a few
dozen steps are of that size. With W the base's weight, D what training added and r(·) rounding, what is lost is
|r(W + D) - r(W) - D| / |D| over all changed weights, in the Euclidean norm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

Change = tuple[torch.Tensor, torch.Tensor]
"""A weight as it was, and as it is."""


@torch.no_grad()
def lost_by_rounding(changes: Iterator[Change], dtype: torch.dtype) -> float:
    """What rounding to ``dtype`` does to the change, as a share of it; 0 where nothing changed.

    It can be more than 1 for a base that half precision cannot hold: then a small change may be rounded up to a large one.
    """
    lost = learned = 0.0
    for before, after in changes:
        change, left = after - before, after.to(dtype).float() - before.to(dtype).float()
        learned += float(change.square().sum())
        lost += float((left - change).square().sum())
    return (lost / learned) ** 0.5 if learned else 0.0


def changed(base: Any, model: Any) -> Iterator[Change]:
    """The weights of a model that differ from its base's, in float32."""
    before = dict(base.named_parameters(remove_duplicate=False))  # an output layer may not be tied any more
    for name, after in model.named_parameters():
        if name in before and not torch.equal(before[name], after):
            yield before[name], after
