"""Weights, gradients and moments in shares: each process keeps one, and layers are gathered when they are computed (FSDP2).

For training all weights of a model that fits no GPU with its gradients and moments. transformers and accelerate share it out;
what stands here is what the two do not know of: a game is played by one process for itself, at its own pace, so it plays with a
whole copy of the policy, in the precision of computing, into which the shares are gathered once an iteration; and the training
state is written and read as without shares, so that a run can go on with or without them, and with any number of processes.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch.distributed.tensor import DTensor, distribute_tensor

from vision_zero.config.learning import LearningConfig
from vision_zero.policy.vision_cache import disable_vision_cache, enable_vision_cache


def fsdp_arguments(learning: LearningConfig) -> dict[str, Any]:
    """TRL's arguments for it: a decoder layer or a block of the vision side is gathered at a time, as the model's class says."""
    return {"fsdp": True, "fsdp_config": {"version": 2}} if learning.sharded else {}


class GatheredCopy:
    """A copy of a policy that is trained in shares, with all of its weights here.

    Args:
        model: before it is shared out. It forgets its pictures: processes look at different ones, and looking is gathering.
        is_mixed: training computes in half precision.
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
        """The copy with the weights as they are now. All processes must ask for it together."""
        self.model.to(device)
        own = dict(self.model.named_parameters())
        for name, parameter in shared.named_parameters():
            if parameter.requires_grad:  # what is frozen is here already
                own[name].copy_(gather(parameter))
        return self.model


def gather(value: Any) -> torch.Tensor:
    """A tensor with all of its shares; all processes must ask for it together. What has none comes back as it is."""
    return value.full_tensor() if isinstance(value, DTensor) else torch.as_tensor(value)


def shard_like(tensor: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """This process's share of a parameter's moment, cut as the parameter is; numbers such as a count of steps have none."""
    if not isinstance(parameter, DTensor) or not tensor.ndim:
        return tensor
    tensor = tensor.to(parameter.device, parameter.dtype)
    return distribute_tensor(tensor, parameter.device_mesh, parameter.placements, src_data_rank=None)
