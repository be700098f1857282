"""Strict loading of adapters and full weights: every tensor must match a parameter, and every parameter a tensor.

peft and transformers load the tensors that match and only warn about the others, which would mix two policies.

Of peft nothing is used that is not public, but for ``original_module`` (:func:`unwrapped`) and the text of a warning;
``tests/policy/test_peft_contract.py`` holds both.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError, first_line, one_line
from vision_zero.policy.folder import ADAPTER_FILES
from vision_zero.policy.trainable import adapted_layers, freeze

# The embedded policy has a name instead of a folder; its vocabulary never changes, which is what peft looks for.
warnings.filterwarnings("ignore", message="Could not find a config file in nano", category=UserWarning)

FIRST = "default"
"""peft's name of a model's first adapter."""
_OF_BASE = ".base_layer.weight"
UNLOADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, SafetensorError)
"""Exceptions of transformers and peft for missing, broken or mismatched files, and missing packages."""


def read_model(path: str, config: PolicyConfig, **options: Any) -> tuple[Any, list[str]]:
    """A loaded model, and the parameters that its files have no weights for (transformers initialises those at random)."""
    dtype = "auto" if config.dtype == "auto" else getattr(torch, config.dtype)
    model, found = AutoModelForImageTextToText.from_pretrained(
        path, dtype=dtype, use_safetensors=True, output_loading_info=True, **config.backend, **options
    )
    return model, sorted(found["missing_keys"])


def new_adapter(model: Any, policy: PolicyConfig) -> LoraConfig | None:
    """The adapter to add to the base, or None; without one, parameters that are not trained are frozen here."""
    if policy.adapter is None:
        freeze(model, policy)
        return None
    return LoraConfig(
        r=policy.adapter.rank,
        lora_alpha=policy.adapter.alpha,
        lora_dropout=policy.adapter.dropout,
        target_modules=adapted_layers(model, policy.adapter, policy.train_on),
        task_type="CAUSAL_LM",
    )


def with_adapter(model: Any, folder: Path, base: str, name: str = FIRST) -> Any:
    """The model with the adapter from a folder; to one that has an adapter it is added under another name beside it.

    Raises:
        PolicyError: there is no adapter, it belongs to another base, or switching it off would not give the base.
    """
    tensors = _tensors(model, folder, base)
    try:
        if isinstance(model, PeftModel):
            model.load_adapter(str(folder), adapter_name=name)
        else:
            model = PeftModel.from_pretrained(model, str(folder), adapter_name=name)
    except UNLOADABLE as error:
        raise _unfit(folder, base, first_line(error)) from error
    _check_kind(model.peft_config[name], folder, base)
    _check_names(model, tensors, folder, base, name)
    return model


def unwrapped(module: Any) -> Any:
    """The module itself, where peft has put a wrapper around it, as around embeddings of which it trains some rows."""
    inner = getattr(module, "original_module", module)
    return inner.get_base_layer() if hasattr(inner, "get_base_layer") else inner


def merges_exactly(model: Any) -> bool:
    """Whether the weights are in float32. Merging in half precision would round an adapter's small updates away."""
    return all(parameter.dtype == torch.float32 for parameter in model.parameters() if parameter.is_floating_point())


@torch.no_grad()
def merged(adapted: Any) -> Any:
    """The model with the adapter merged into its weights; ``adapted`` must not be used afterwards. An adapted output layer is
    untied from the embeddings first, or the embeddings would change with it."""
    inner = adapted.get_base_model()
    for layer in filter(None, (inner.get_input_embeddings(), inner.get_output_embeddings())):
        if hasattr(layer, "get_base_layer"):
            own = layer.get_base_layer()
            own.weight = torch.nn.Parameter(own.weight.clone(), requires_grad=False)
    return adapted.merge_and_unload()


def set_adapter(model: Any, folder: Path, base: str) -> None:
    """Load a trained folder's adapter into the adapter of a model, to continue training.

    Raises:
        PolicyError: the adapters differ.
    """
    tensors = _tensors(model, folder, base)
    _check_names(model, tensors, folder, base)
    try:
        trained = LoraConfig.from_pretrained(str(folder)).lora_alpha
        set_peft_model_state_dict(model, tensors)
    except UNLOADABLE as error:
        raise _unfit(folder, base, first_line(error)) from error
    # The tensors would fit, but each update is scaled by alpha / rank: it would be another policy.
    if trained != (alpha := model.peft_config[FIRST].lora_alpha):
        raise PolicyError(
            f"{folder} was trained with policy.adapter.alpha {trained}, and the recipe says {alpha}: set it back, or give the "
            "model another name, so that learning begins anew"
        )


def load_full(folder: Path, config: PolicyConfig) -> Any:
    """The model of a folder with full weights.

    Raises:
        PolicyError: files are missing or broken.
    """
    try:
        model, missing = read_model(str(folder), config, trust_remote_code=config.trust_remote_code)
    except UNLOADABLE as error:
        raise PolicyError(f"{folder} holds no model that can be loaded: {first_line(error)}") from error
    if missing:
        raise PolicyError(f"{folder} holds no weights for {missing[0]}: use an earlier version")
    return model


def set_full(model: Any, folder: Path, config: PolicyConfig) -> None:
    """Load a trained folder's weights into a model, to continue training.

    Raises:
        PolicyError: the weights are another model's.
    """
    weights = load_full(folder, config).state_dict()
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise PolicyError(f"{folder} holds no weights that fit {config.base!r}: {one_line(error, 200)}") from error


def _tensors(model: Any, folder: Path, base: str) -> dict[str, torch.Tensor]:
    """The adapter's tensors. Of an adapter of embeddings, peft saves the base's own weights beside them; these must be the
    model's."""
    try:
        tensors: dict[str, torch.Tensor] = load_file(folder / ADAPTER_FILES[0])
        inner = model.get_base_model() if isinstance(model, PeftModel) else model
        for name in [name for name in tensors if name.endswith(_OF_BASE)]:
            layer = inner.get_submodule(name.removeprefix("base_model.model.").removesuffix(_OF_BASE))
            own = unwrapped(layer).weight
            if not torch.equal(tensors.pop(name).to(own), own):
                raise _unfit(folder, base, f"it was trained on other weights, as {name} shows")
    except (OSError, SafetensorError, AttributeError) as error:
        raise _unfit(folder, base, first_line(error)) from error
    return tensors


def _check_kind(settings: Any, folder: Path, base: str) -> None:
    if settings.is_prompt_learning:
        raise _unfit(folder, base, f"{settings.peft_type.value} adds tokens to prompts instead of changing weights: train LoRA")
    if getattr(settings, "bias", "none") != "none":
        raise _unfit(folder, base, "biases were trained, too, which cannot be switched off for the reference: set bias to none")


def _check_names(model: Any, tensors: dict[str, torch.Tensor], folder: Path, base: str, adapter: str = FIRST) -> None:
    # Without this argument peft asks the hub whether the vocabulary was resized.
    places = get_peft_model_state_dict(model, adapter_name=adapter, save_embedding_layers=False)
    odd = sorted(set(places) ^ set(tensors))
    if odd:
        raise _unfit(folder, base, f"{len(odd)} tensors have no counterpart, such as {odd[0]}")


def _unfit(folder: Path, base: str, reason: str) -> PolicyError:
    return PolicyError(f"{folder} holds no adapter that fits {base!r}: {reason}")
