"""Decoding with a compiled step: ``policy.compiled``.

In eager mode the Python overhead per layer and token is several times the time that a GPU needs to read the weights of a large
model. Compiled, and on a GPU captured as a CUDA graph, a step is one launch. That requires static shapes and addresses: the KV
cache is a static buffer for the longest completion, and the number of rows is a power of two, the last of them idle. Prefill is
not compiled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer, StaticLayer

from vision_zero.errors import PolicyError, first_line
from vision_zero.policy.decoding import Decoder, DecodeState, next_logits

SLOTS = 256
"""KV cache lengths are multiples of this many tokens, to limit the number of shapes to compile."""
BACKEND = "inductor"
"""torch.compile's compiler."""
SHAPES = 64
"""Number of shapes (rows, cache length) that torch compiles before it falls back to eager mode."""


class Slots(StaticLayer):  # type: ignore[misc]
    """A layer of a static KV cache, shape (rows, heads, length, head size), of which the first rows are used."""

    def __init__(self, layer: DynamicLayer, rows: int, room: int) -> None:
        super().__init__(max_cache_len=room)
        self.cumulative_length = torch.zeros((), dtype=torch.long, device=layer.keys.device)
        # Zeros, since masked values are multiplied by 0 and must be finite.
        self._all = tuple(told.new_zeros(rows, told.shape[1], room, told.shape[3]) for told in (layer.keys, layer.values))
        self._shown: dict[int, tuple[torch.Tensor, ...]] = {}
        self.dtype, self.device = layer.keys.dtype, layer.keys.device
        self.is_initialized = True

    def fill(self, layer: DynamicLayer, rows: torch.Tensor) -> None:
        """Start from these rows of the prefilled cache."""
        self._show(len(rows))
        tokens = layer.keys.shape[2]
        self.keys[:, :, :tokens].copy_(layer.keys[rows])
        self.values[:, :, :tokens].copy_(layer.values[rows])
        self.cumulative_length.fill_(tokens)

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows only."""
        kept = (self.keys[indices], self.values[indices])
        self._show(len(indices))
        self.keys.copy_(kept[0])
        self.values.copy_(kept[1])

    def _show(self, rows: int) -> None:
        if rows not in self._shown:
            self._shown[rows] = tuple(told[:rows] for told in self._all)
            for shown in (*self._shown[rows], self.cumulative_length):
                torch._dynamo.mark_static_address(shown, guard=False)
        self.keys, self.values = self._shown[rows]


class CompiledDecoder(Decoder):
    """Decodes with a compiled step.

    Args:
        backend: torch.compile's; None: ``BACKEND``.
    """

    def __init__(self, model: Any, backend: Any = None) -> None:
        super().__init__(model)
        self._slots: list[Slots] = []
        self._size: tuple[int, ...] = (0, 0)
        backend = backend or BACKEND
        mode = "reduce-overhead" if backend == "inductor" and torch.cuda.is_available() else None
        self._compiled = torch.compile(next_logits, backend=backend, mode=mode, dynamic=False)

    def begin(self, inputs: dict[str, Any], rows: torch.Tensor, max_tokens: int) -> DecodeState:
        speaking = super().begin(inputs, _filled(rows), max_tokens)
        room = self._size[1] - speaking.mask.shape[1]
        return replace(speaking, mask=torch.nn.functional.pad(speaking.mask, (0, room)))

    def fewer(self, left: torch.Tensor, rows: int) -> torch.Tensor | None:
        kept = _filled(left)
        return kept if len(kept) < rows else None

    def after(self, speaking: DecodeState, tokens: torch.Tensor) -> DecodeState:
        position = speaking.position + 1
        speaking.mask[:, int(speaking.cache.get_seq_length())] = 1
        logits = self.step(tokens.unsqueeze(1), speaking.mask, position, speaking.cache)
        # A CUDA graph reuses the memory of the logits.
        return replace(speaking, logits=logits.float().clone(), position=position)

    def step(self, *token: Any) -> torch.Tensor:
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        try:
            with torch._dynamo.config.patch(recompile_limit=SHAPES):
                return self._compiled(self.model, *token)
        except torch._dynamo.exc.BackendCompilerFailed as error:
            raise PolicyError(
                f"policy.compiled: a step could not be compiled ({first_line(getattr(error, 'inner_exception', error))}): "
                "install a C++ compiler, or leave it out"
            ) from error

    def _with_room(self, cache: DynamicCache, rows: torch.Tensor, room: int) -> Cache:
        if any(type(layer) is not DynamicLayer for layer in cache.layers):
            raise PolicyError("policy.compiled: this model has layers without a plain KV cache: leave it out")
        size = tuple(map(max, slot_shape(len(rows), room), self._size))
        if size != self._size:
            self._size = size
            self._slots = [Slots(layer, *self._size) for layer in cache.layers]
        for slots, layer in zip(self._slots, cache.layers, strict=True):
            slots.fill(layer, rows)
        return Cache(layers=self._slots)


def slot_shape(rows: int, tokens: int) -> tuple[int, int]:
    """Rows and cache length: the next power of two, and the next multiple of ``SLOTS``."""
    return 1 << (rows - 1).bit_length(), -(-tokens // SLOTS) * SLOTS


def _filled(rows: torch.Tensor) -> torch.Tensor:
    """Rows, padded with the first one to a power of two."""
    missing = slot_shape(len(rows), 0)[0] - len(rows)
    return torch.cat([rows, rows[:1].expand(missing)])
