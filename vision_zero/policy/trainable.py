"""Selects the trained parameters: language model, vision encoder, or both (``policy.train_on``).

Language is the decoder with its embeddings and output layer; vision is everything else: the image encoder, and the merger,
projector or connector. They are found from the model's structure instead of layer names, so this works for every family.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from torch import nn

from vision_zero.config.policy import AdapterConfig, PolicyConfig, TrainOn
from vision_zero.errors import TrainingError

Side = Literal["language", "vision"]


def parameter_sides(model: Any) -> dict[str, Side]:
    """Language or vision, for each parameter of a base, by name; tied parameters count once."""
    language = {id(parameter) for part in _language(model) for parameter in part.parameters()}
    return {name: "language" if id(parameter) in language else "vision" for name, parameter in model.named_parameters()}


def is_trained(side: Side, train_on: TrainOn) -> bool:
    """Whether this part is trained."""
    return train_on in (side, "both")


def adapted_layers(model: Any, adapter: AdapterConfig, train_on: TrainOn) -> list[str]:
    """Names of the linear layers of a base that get an adapter; the output layer never does.

    Raises:
        TrainingError: no layer matches.
    """
    language = {id(module) for part in _language(model) for module in part.modules()}
    output = model.get_output_embeddings()
    found = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and module is not output
        and is_trained("language" if id(module) in language else "vision", train_on)
        and _is_named(name, adapter.target_modules)
        and not (adapter.exclude_modules and re.fullmatch(adapter.exclude_modules, name))
    ]
    if not found:
        raise TrainingError(
            f"nothing to train: policy.adapter.target_modules matches no layer of this model under policy.train_on: {train_on}"
        )
    return found


def freeze(model: Any, policy: PolicyConfig) -> None:
    """Disable gradients of all parameters that are not on a trained side; for training without an adapter."""
    sides = parameter_sides(model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_trained(sides[name], policy.train_on))


def _language(model: Any) -> list[Any]:
    decoder = model.get_decoder()
    if decoder is model or decoder is model.base_model:
        raise TrainingError(f"{type(model).__name__} does not say which of its modules is the decoder: take another policy.base")
    return [decoder, model.get_input_embeddings(), *filter(None, [model.get_output_embeddings()])]


def _is_named(name: str, targets: str | tuple[str, ...]) -> bool:
    """Match as in peft: all names, a regular expression of full names, or names and suffixes."""
    if isinstance(targets, str):
        return targets == "all-linear" or re.fullmatch(targets, name) is not None
    return any(name == target or name.endswith(f".{target}") for target in targets)
