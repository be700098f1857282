"""Loads policies: the embedded one, a local folder, or a hub id."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers.utils import is_flash_attn_2_available
from transformers.utils.logging import disable_progress_bar

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError, first_line
from vision_zero.policy.adapter_io import FIRST, UNLOADABLE, load_full, merged, merges_exactly, read_model, with_adapter
from vision_zero.policy.base_models import base_path
from vision_zero.policy.folder import ADAPTER_FILES, ORIGIN, is_full
from vision_zero.policy.policy import Policy
from vision_zero.policy.processor import load_processor
from vision_zero.policy.processor_check import check_processor
from vision_zero.policy.provenance import Provenance, processor_fingerprint, weights_fingerprint
from vision_zero.policy.vision_cache import disable_if_vision_is_adapted, enable_vision_cache
from vision_zero.policy.vllm import VllmModel

# No progress bars: in a step's log every update would be a line.
disable_progress_bar()


OTHER = "other"
"""Name of a second adapter on one base."""


def load_base(config: PolicyConfig) -> tuple[Any, Any]:
    """The frozen base model and its processor, ready for an adapter.

    Raises:
        PolicyError: the folder is not a policy, the hub cannot be reached, or a package is missing.
    """
    if config.attention == "flash_attention_2" and not is_flash_attn_2_available():
        raise PolicyError(
            "policy.attention: flash_attention_2 needs the package flash-attn and a GPU that it supports: install it, or set auto"
        )
    path = base_path(config.base)
    if Path(path).is_dir():
        _check_folder(Path(path))
    try:
        processor = load_processor(path, config.pictures, **config.source)
        model, missing = read_model(path, config, **config.source)
    except UNLOADABLE as error:
        raise PolicyError(
            f"policy.base {config.base!r} could not be loaded: {first_line(error)} "
            "(give a local folder of an AutoModelForImageTextToText, or a hub id that this machine can reach)"
        ) from error
    if missing:
        raise PolicyError(
            f"policy.base {config.base!r} has no weights for {len(missing)} parameters, such as {missing[0]}: "
            "its files are incomplete, or its config.json is another model's"
        )
    if config.train_on == "language":
        enable_vision_cache(model)
    return model, processor


def device_named(name: str = "auto") -> str:
    """Device of a name: ``auto`` is the first GPU if there is one, else the CPU; other names are torch's."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def load_policy(
    config: PolicyConfig, folder: Path | None, *, device: str = "auto", is_merged: bool = False, beside_base: bool = False
) -> Policy:
    """The base with the adapter of a trained folder, a policy of which all weights were trained, or the untrained base.

    If a server samples the replies, adapters are not merged, and the model here is not put on a GPU. The base of all weights is:
    the server cannot serve both.

    Args:
        device: see :func:`device_named`.
        is_merged: merge the adapter into the base's weights, which is faster but leaves no base to compare with.
        beside_base: keep the base as a second model beside a merged one. In half precision nothing is merged, since small
            updates would be rounded away.

    Raises:
        PolicyError: the base or the trained policy cannot be loaded, or they do not belong together.
    """
    place = device_named(device)
    model, processor = load_base(config)
    fingerprint = weights_fingerprint(model)
    base, has_no_base = None, False
    if folder is not None:
        Provenance.checked(folder, config.base, fingerprint)
    if folder is not None and is_full(folder):
        has_no_base = is_merged and not beside_base
        base, model = None if has_no_base else model.to(place), load_full(folder, config)
    elif folder is not None and config.server is None:
        merges = is_merged and merges_exactly(model)
        has_no_base = merges and not beside_base
        base = deepcopy(model).to(place) if merges and beside_base else None
        known = {id(parameter) for parameter in model.parameters()}
        adapted = with_adapter(model, folder, config.base)
        disable_if_vision_is_adapted(model, known, *filter(None, [base]))
        model = merged(adapted) if merges else adapted
    served = None if config.server is None else _served(config.server, config, folder, model)
    policy = Policy(
        model.to(place) if served is None else model,
        processor,
        config.sampling,
        base=base,
        has_no_base=has_no_base,
        served=served,
        compiled=config.compiled,
        base_fingerprint=f"{fingerprint}-{processor_fingerprint(processor)}",
    )
    check_processor(policy)
    return policy


def _served(server: VllmConfig, config: PolicyConfig, folder: Path | None, model: Any) -> VllmModel:
    """What the servers sample with: a folder's adapter, the base that they were started with, or all weights of the model."""
    if folder is not None and not is_full(folder):
        return VllmModel.adapter(server, folder)
    if folder is None and config.adapter is not None:
        return VllmModel(server)
    return VllmModel.all_weights(server, model)


def load_beside(config: PolicyConfig, folder: Path, other: Path | None, *, is_merged: bool = False) -> tuple[Policy, Policy]:
    """A trained policy and an opponent with the same base; their adapters share the base's weights.

    Args:
        folder: the trained policy.
        other: the opponent; None: the untrained base.
        is_merged: two models with merged adapters, which are faster but need the memory of two models.

    Raises:
        PolicyError: as in :func:`load_policy`.
    """
    if other is None:
        first = load_policy(config, folder, is_merged=is_merged, beside_base=True)
        return first, replace(first, as_base=True)
    first = load_policy(config, folder, is_merged=is_merged or is_full(folder))
    if not isinstance(first.model, PeftModel) or is_full(other) or config.server is not None:
        return first, load_opponent(config, other, is_merged=is_merged)
    Provenance.checked(other, config.base, first.base_fingerprint.partition("-")[0])
    with_adapter(first.model, other, config.base, OTHER)
    first.model.eval()
    return replace(first, adapter=FIRST), replace(first, adapter=OTHER)


def load_opponent(config: PolicyConfig, folder: Path, *, is_merged: bool = False) -> Policy:
    """A trained policy beside another one; see :func:`load_policy`. A server holds one set of all weights: an opponent that has
    such, or is beside such, stays in this process."""
    here = config.model_copy(update={"server": None}) if is_full(folder) or config.adapter is None else config
    return load_policy(here, folder, is_merged=is_merged or is_full(folder))


def base_of(folder: Path) -> str:
    """The base recorded in a trained folder.

    Raises:
        PolicyError: neither its ``origin.json`` nor its ``adapter_config.json`` names it.
    """
    origin = Provenance.read(folder)
    if origin is not None:
        return origin.base
    adapter = folder / ADAPTER_FILES[1]
    try:
        base = json.loads(adapter.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PolicyError(f"{adapter} does not name its base: {error}") from error
    return str(base)


def is_trained(folder: Path) -> bool:
    """Whether a folder is that of a trained policy instead of a base."""
    return any((folder / name).is_file() for name in (ADAPTER_FILES[1], ORIGIN))


def _check_folder(folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        raise PolicyError(f"{folder} is not a policy folder: it has no config.json")
    try:
        json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"{config} cannot be read as JSON: {error}") from error
    if not any(folder.glob("*.safetensors")):
        raise PolicyError(f"{folder} holds no weights: a policy folder needs *.safetensors (pickled weights are refused)")
