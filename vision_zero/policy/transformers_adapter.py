"""The one module that reaches beyond transformers' public interface.

Each name below stands for something private in the pinned version and says why nothing public will do.
``tests/policy/test_transformers_contract.py`` holds the names, signatures and promises that are relied on, and says after an
upgrade which of them changed. All other modules use what transformers documents.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers.utils import cached_file

# peft and TRL ask transformers 5.23 under a name that it is about to lose, and a user can do nothing about it.
warnings.filterwarnings("ignore", message=".*gradient_checkpointing.* is deprecated", category=FutureWarning)
# Resuming warns of another batch size: both stages continue from each other's checkpoints, with batches of different sizes.
logging.getLogger("transformers.trainer_utils").addFilter(lambda record: "per_device_train_batch_size" not in record.getMessage())


def position_ids(model: Any, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Position ids of a batch of prompts: (rows, tokens), or (axes, rows, tokens) for multimodal rotary positions.

    ``_prepare_position_ids_for_generation``: every family computes its own (Qwen's from the grids of the images). The only
    public way to them is ``generate``, whose costs :mod:`vision_zero.policy.decoding` avoids.
    """
    positions: torch.Tensor = model._prepare_position_ids_for_generation(inputs["input_ids"], dict(inputs))
    return positions


def checkpoint_with_cache(layer: Any) -> None:
    """Let gradient checkpointing compute a decoder layer again although a cache is passed to it.

    ``_can_checkpoint_with_cache``: by default the cache is dropped there, since its updates cannot be repeated. Those of
    :mod:`vision_zero.training.shared_prefix` can.
    """
    layer._can_checkpoint_with_cache = True


def file_if_there(path: str, name: str, revision: str | None = None) -> Path | None:
    """A file of a folder or hub repository; None if there is none of that name, or the repository cannot be reached.

    ``_raise_exceptions_for_*``: without them a missing optional file is an error that cannot be told from a missing repository.
    """
    raises = {f"_raise_exceptions_for_{what}": False for what in ("missing_entries", "connection_errors", "gated_repo")}
    found = cached_file(path, name, revision=revision, **raises)
    return Path(found) if found else None


def replace_method(model: Any, name: str, method: Callable[..., Any]) -> None:
    """Put a method in place of the one of that name, on this model alone.

    For ``forward`` and ``get_image_features``, which transformers, TRL and peft look up on the model whenever they call them; a
    subclass of every family's class would be the alternative.
    """
    setattr(model, name, method)


def is_replaced(model: Any, name: str) -> bool:
    """Has :func:`replace_method` been called for that name?"""
    return name in vars(model)


def restore_method(model: Any, name: str) -> bool:
    """Go back to the class's own method; returns whether it had been replaced."""
    return vars(model).pop(name, None) is not None


class StrictLoading:
    """Mixed into a ``Trainer``: the weights of a checkpoint are loaded by :meth:`load_weights`.

    ``_load_from_checkpoint``: the Trainer loads the tensors that match and ignores the rest, which would mix two policies.
    """

    def load_weights(self, folder: Path) -> None:
        """Load the weights of a checkpoint into ``self.model``; every tensor must have its place."""
        raise NotImplementedError

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.load_weights(Path(resume_from_checkpoint))
