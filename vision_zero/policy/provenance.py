"""Provenance of a trained policy: stored beside its weights, and checked before they are loaded onto a base.

An adapter loads without error onto any base of the same shape, but gives nonsense on all but its own.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

import torch
from pydantic import AliasChoices, Field

from vision_zero.config.policy import PolicyConfig, TrainOn
from vision_zero.config_base import Config, read_json
from vision_zero.errors import PolicyError
from vision_zero.fingerprints import digest
from vision_zero.policy.folder import ORIGIN

_SAMPLE = 16
"""Number of values of each parameter in the fingerprint; training changes all of them."""


class Provenance(Config):
    """The base of a policy, and what was trained."""

    base: str
    """``policy.base`` of the recipe; on another machine the base may be elsewhere."""
    revision: str | None = None
    """Revision of a hub id."""
    fingerprint: str = Field(validation_alias=AliasChoices("fingerprint", "mark"))
    """Fingerprint of the base's weights: see :func:`weights_fingerprint`."""
    form: Literal["adapter", "whole"]
    """What was trained: an adapter, or the whole model."""
    train_on: TrainOn
    """In which part: language model, vision encoder, or both."""

    @classmethod
    def of(cls, policy: PolicyConfig, base: Any) -> Self:
        """The provenance of a policy before training, with the base's unchanged weights."""
        form: Literal["adapter", "whole"] = "whole" if policy.adapter is None else "adapter"
        return cls(
            base=policy.base, revision=policy.revision, fingerprint=weights_fingerprint(base), form=form, train_on=policy.train_on
        )

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read a trained policy's provenance; None if the folder has none (adapters made elsewhere).

        Raises:
            PolicyError: the file is broken.
        """
        path = folder / ORIGIN
        if not path.is_file():
            return None
        return read_json(cls, path, PolicyError)

    def write(self, folder: Path) -> None:
        """Write it beside the weights."""
        (folder / ORIGIN).write_text(json.dumps(self.model_dump(), indent=1), encoding="utf-8")

    @classmethod
    def checked(cls, folder: Path, base: str, fingerprint: str) -> Self | None:
        """As :meth:`read`, where the weights are put on that base.

        Raises:
            PolicyError: the file is broken, or the weights of the policy's own base are others.
        """
        origin = cls.read(folder)
        if origin is not None and fingerprint != origin.fingerprint:
            raise PolicyError(
                f"{folder} was trained on {origin.base!r}, and the weights of {base!r} are others: give policy.base the one that "
                "it was trained on, or give the model another name, so that learning begins anew"
            )
        return origin


def processor_fingerprint(processor: Any) -> str:
    """Sixteen hexadecimal digits of tokenizer, chat template and image processor settings, on which replies depend."""
    tokenizer = processor.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    words = {"vocabulary": tokenizer.get_vocab()} if backend is None else json.loads(backend.to_str())
    # Remove the padding and truncation of the last batch.
    known = {name: value for name, value in words.items() if name not in ("padding", "truncation")}
    special = tokenizer.special_tokens_map
    facts = [known, special, processor.chat_template, json.loads(processor.image_processor.to_json_string())]
    return digest(json.dumps(facts, sort_keys=True, default=str))[:16]


@torch.no_grad()
def weights_fingerprint(model: Any) -> str:
    """Sixteen hexadecimal digits from the names, shapes and first values of a model's parameters, the same in every precision."""
    total = hashlib.blake2b(digest_size=8)
    for name, parameter in model.named_parameters():
        total.update(f"{name}:{tuple(parameter.shape)}:".encode())
        values = parameter.reshape(-1)[:_SAMPLE].to("cpu", torch.bfloat16)
        total.update(values.view(torch.int16).numpy().tobytes())
    return total.hexdigest()
