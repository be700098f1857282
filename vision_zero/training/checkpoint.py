"""A trained policy's weights, and training state on disk without pickle: tensors as safetensors, the rest as JSON.

transformers saves the optimiser, the schedule, random states and its arguments as torch pickles. Nothing here needs them:
random draws belong to named seeds, arguments come from the config, and the other two are written in the open form below.

    adapter_model.safetensors, adapter_config.json   the adapter (peft's format)
    optimizer.safetensors                            tensors "<parameter number>.<name>", or "<stage>.<parameter number>.<name>"
    optimizer.json                                   param groups
    scheduler.json                                   the learning-rate schedule's state
    trainer_state.json                               iteration count (transformers' format)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vision_zero.config.learning import Stage
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.adapter_io import set_adapter, set_full
from vision_zero.policy.provenance import Provenance
from vision_zero.training.sharding import gather, shard_like

OPTIMIZER_TENSORS, OPTIMIZER_GROUPS, SCHEDULER = "optimizer.safetensors", "optimizer.json", "scheduler.json"

Tensors = dict[str, torch.Tensor]


def load_weights(model: Any, folder: Path, policy: PolicyConfig, origin: Provenance) -> None:
    """Continue from the weights in ``folder``; ``origin`` is the provenance of what is trained now.

    Raises:
        PolicyError: a file is missing or broken, or the weights are of another base, or were trained in another way.
    """
    before = Provenance.checked(folder, policy.base, origin.fingerprint)
    if before is not None and (before.form, before.train_on) != (origin.form, origin.train_on):
        raise PolicyError(
            f"{folder} was trained with another policy.adapter or policy.train_on ({before.form}, {before.train_on}): "
            "set them back, or give the model another name, so that learning begins anew"
        )
    if policy.adapter is None:
        set_full(model, folder, policy)
    else:
        set_adapter(model, folder, policy.base)


def save_optimizer(
    optimizer: Any, scheduler: Any, folder: Path, stage: Stage | None, others: Tensors, *, is_writer: bool = True
) -> None:
    """Write both states into ``folder``; what is kept in shares is gathered first.

    Args:
        stage: whose optimiser it is, where each stage has its own; else None.
        others: what :func:`load_optimizer` gave back, to be kept.
        is_writer: one process writes; the others only give their shares.
    """
    state = optimizer.state_dict()
    tensors = {}
    for number, values in state["state"].items():
        for name, value in values.items():
            gathered = gather(value).detach()
            if is_writer:
                tensors[f"{_prefix(stage)}{number}.{name}"] = gathered.cpu().contiguous()
    if not is_writer:
        return
    save_file({**others, **tensors}, folder / OPTIMIZER_TENSORS)
    _write_json(folder / OPTIMIZER_GROUPS, state["param_groups"])
    _write_json(folder / SCHEDULER, {key: value for key, value in scheduler.state_dict().items() if key != "lr_lambdas"})


def load_optimizer(optimizer: Any, scheduler: Any, folder: Path, stage: Stage | None) -> Tensors:
    """Continue both from the states in ``folder``: moments and place on the curve; rates and weight decay are the config's.

    Returns:
        The tensors of the other stage's optimiser, where each stage has its own: ``stage`` names this one. A stage that has not
        been trained yet has none in ``folder`` and starts with fresh moments.

    Raises:
        PolicyError: a file is missing or broken, or belongs to another model or to another ``learning.optimizer``.
    """
    try:
        tensors = load_file(folder / OPTIMIZER_TENSORS)
        groups = json.loads((folder / OPTIMIZER_GROUPS).read_text(encoding="utf-8"))
        schedule = json.loads((folder / SCHEDULER).read_text(encoding="utf-8"))
        if any(key[0].isdigit() for key in tensors) == (stage is not None):
            raise ValueError("it was made under another learning.optimizer: set it back, or give the model another name")
        prefix = _prefix(stage)
        own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        state: dict[int, Tensors] = {}
        for key, tensor in own.items():
            number, name = key.split(".", 1)
            state.setdefault(int(number), {})[name] = shard_like(tensor, parameters[int(number)])
        peaks, decays = list(scheduler.base_lrs), [group["weight_decay"] for group in optimizer.param_groups]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
        # The curve itself comes from the config, too; None leaves it as it is.
        curves = scheduler.lr_lambdas
        rates = [peak * curve(schedule["last_epoch"]) for peak, curve in zip(peaks, curves, strict=True)]
        curve_state = {"lr_lambdas": [None] * len(curves), "base_lrs": peaks, "_last_lr": rates}
        scheduler.load_state_dict({**schedule, **curve_state})
        for group, peak, rate, decay in zip(optimizer.param_groups, peaks, rates, decays, strict=True):
            group.update(initial_lr=peak, lr=rate, weight_decay=decay)
    except (OSError, ValueError, LookupError, SafetensorError) as error:
        raise PolicyError(f"{folder} holds no training state that fits this model: {error}") from error
    return {key: tensor for key, tensor in tensors.items() if not key.startswith(prefix)}


def _prefix(stage: Stage | None) -> str:
    return f"{stage}." if stage else ""


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, sort_keys=True), encoding="utf-8")
