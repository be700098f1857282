"""Provenance of a trained policy: stored beside its weights, and checked before they are loaded onto a base again.

An adapter loads without an error onto any base of the same shape, and gives nonsense on all but its own.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

import torch
from pydantic import ValidationError

from vision_zero.config.base import Config, problems
from vision_zero.config.policy import PolicyConfig, TrainOn
from vision_zero.errors import PolicyError
from vision_zero.fingerprints import digest
from vision_zero.policy.folder import ORIGIN

_SAMPLE = 16
"""Values of each parameter that the mark is made of: training changes all of them."""


class Provenance(Config):
    """What a policy was trained on, and how."""

    base: str
    """``policy.base`` of the recipe; on another machine the same base may be elsewhere."""
    revision: str | None = None
    """Revision of a hub id."""
    mark: str
    """Of the base's weights: see :func:`weights_fingerprint`."""
    form: Literal["adapter", "whole"]
    """An adapter, or all weights."""
    train_on: TrainOn
    """The sides that learn."""

    @classmethod
    def of(cls, policy: PolicyConfig, base: Any) -> Self:
        """Of what will be trained on that base; its weights are still its own."""
        form: Literal["adapter", "whole"] = "whole" if policy.adapter is None else "adapter"
        return cls(
            base=policy.base, revision=policy.revision, mark=weights_fingerprint(base), form=form, train_on=policy.train_on
        )

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Of a trained policy; None where the folder does not say it (adapters made elsewhere).

        Raises:
            PolicyError: the file is broken.
        """
        path = folder / ORIGIN
        if not path.is_file():
            return None
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise PolicyError(f"{path} cannot be read: {problems(error)}") from error

    def write(self, folder: Path) -> None:
        """Write it beside the weights."""
        (folder / ORIGIN).write_text(json.dumps(self.model_dump(), indent=1), encoding="utf-8")

    def check_base(self, folder: Path, base: str, mark: str) -> None:
        """Refuse another base than the policy's own.

        Raises:
            PolicyError: the weights are others.
        """
        if mark != self.mark:
            raise PolicyError(
                f"{folder} was trained on {self.base!r}, and the weights of {base!r} are others: give policy.base the one that "
                "it was trained on, or give the model another name, so that learning begins anew"
            )


def processor_fingerprint(processor: Any) -> str:
    """Sixteen hexadecimal digits of tokenizer, chat template and image processor settings, on which replies depend."""
    tokenizer = processor.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    words = {"vocabulary": tokenizer.get_vocab()} if backend is None else json.loads(backend.to_str())
    # How the last batch was padded or cut stands in there, too.
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
