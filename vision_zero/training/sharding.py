"""Full fine-tuning with FSDP2: weights, gradients and optimiser moments are sharded over the ranks.

For models whose weights, gradients and moments do not fit one GPU. transformers and accelerate do the sharding; this module adds
what they lack. Ranks play games independently, at their own pace, so each plays with an unsharded copy of the policy in the
compute precision, into which the shards are gathered once per iteration. Checkpoints are written and read unsharded, so a run
can continue with or without sharding and with any number of ranks.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor

from vision_zero.policy.vision_cache import disable_vision_cache, enable_vision_cache


class GatheredCopy:
    """An unsharded copy of a policy that is trained under FSDP, for rollouts.

    Args:
        model: before sharding. Its vision cache is disabled: a cache miss would gather weights, and ranks see different images.
        is_mixed: training uses mixed precision.
    """

    def __init__(self, model: Any, *, is_mixed: bool) -> None:
        remembers = disable_vision_cache(model)
        self.model = deepcopy(model)
        if is_mixed:
            self.model.to(torch.bfloat16)
        if remembers:
            enable_vision_cache(self.model)

    @torch.no_grad()
    def gathered(self, shared: Any, device: torch.device) -> Any:
        """The copy, updated to the current weights. A collective call."""
        self.model.to(device)
        own = dict(self.model.named_parameters())
        for name, parameter in shared.named_parameters():
            if parameter.requires_grad:  # what is frozen is here already
                own[name].copy_(gather(parameter))
        return self.model


def gather(value: Any) -> torch.Tensor:
    """The full tensor of a sharded one; a collective call. An unsharded tensor is returned unchanged."""
    return value.full_tensor() if isinstance(value, DTensor) else torch.as_tensor(value)


def shard_like(tensor: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """This rank's shard of an optimiser moment, with the parameter's placement; scalars such as step counts are not sharded."""
    if not isinstance(parameter, DTensor) or not tensor.ndim:
        return tensor
    tensor = tensor.to(parameter.device, parameter.dtype)
    return distribute_tensor(tensor, parameter.device_mesh, parameter.placements, src_data_rank=None)
