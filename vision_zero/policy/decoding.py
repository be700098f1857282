"""Autoregressive decoding like transformers' ``generate``, without three of its costs.

- A prompt with several completions (the votes of one group) is prefilled once, not once per completion.
- The KV cache is preallocated; the library's cache copies all keys and values for every token.
- A finished row leaves the batch; ``generate`` feeds it padding until the longest row ends.

Greedy completions equal those of ``generate``; tests/policy/test_decoding.py checks every model family.
:mod:`vision_zero.policy.compiled_decoding` does the same with a compiled step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from vision_zero.policy.transformers_adapter import position_ids

Choose = Callable[[torch.Tensor], torch.Tensor]
"""Selects a token for each row from logits of shape (rows, vocabulary)."""

CROWD = 0.75
"""Finished rows are removed when at most this share of the batch is unfinished, since each removal copies the rest of the
cache."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A preallocated layer of the KV cache, initialised from rows of another one."""

    def __init__(self, layer: DynamicLayer, rows: torch.Tensor, room: int) -> None:
        super().__init__()
        self.lazy_initialization(layer.keys, layer.values)
        self.room = room
        self._settle(layer.keys, layer.values, rows)

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """All keys and values up to the new ones, each of shape (rows, heads, tokens, head size)."""
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        self._all_keys[:, :, start:end] = key_states
        self._all_values[:, :, start:end] = value_states
        self._show(end)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows only."""
        self._settle(self.keys, self.values, indices)

    def _settle(self, keys: torch.Tensor, values: torch.Tensor, rows: torch.Tensor) -> None:
        tokens = keys.shape[2]
        self._all_keys, self._all_values = (
            told.new_empty(len(rows), told.shape[1], self.room, told.shape[3]) for told in (keys, values)
        )
        self._show(tokens)
        self.keys.copy_(keys[rows])
        self.values.copy_(values[rows])

    def _show(self, tokens: int) -> None:
        self.keys, self.values = self._all_keys[:, :, :tokens], self._all_values[:, :, :tokens]


@dataclass(frozen=True)
class DecodeState:
    """The state of decoding: one row per unfinished completion.

    Attributes:
        numbers: the completion's index for each row.
        logits: of the next token, (rows, vocabulary).
        mask: attention mask of all tokens so far, (rows, tokens).
        position: of the last token, (rows, 1), or (axes, rows, 1) for multimodal rotary positions.
        cache: keys and values of all tokens so far.
    """

    numbers: torch.Tensor
    logits: torch.Tensor
    mask: torch.Tensor
    position: torch.Tensor
    cache: Cache

    def only(self, rows: torch.Tensor) -> DecodeState:
        """The state of these rows only; the others are dropped from the cache."""
        self.cache.batch_select_indices(rows)
        return replace(
            self,
            numbers=self.numbers[rows],
            logits=self.logits[rows],
            mask=self.mask[rows],
            position=self.position[..., rows, :],
        )


class Decoder:
    """Prefills prompts and decodes step by step with a growing KV cache.

    Args:
        model: an image-text-to-text model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def begin(self, inputs: dict[str, Any], rows: torch.Tensor, max_tokens: int) -> DecodeState:
        """Prefill each prompt once; ``rows``: index of the prompt of each reply."""
        ids = inputs["input_ids"]
        positions = position_ids(self.model, inputs)
        cache = DynamicCache(config=self.model.config.get_text_config(decoder=True))
        read = self.read(**inputs, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return DecodeState(
            numbers=torch.arange(len(rows), device=ids.device),
            logits=read.logits[:, -1].float()[rows],
            mask=inputs["attention_mask"][rows],
            position=positions[..., -1:].expand(*positions.shape[:-2], len(ids), 1)[..., rows, :],
            cache=self._with_room(cache, rows, ids.shape[1] + max_tokens),
        )

    def fewer(self, left: torch.Tensor, rows: int) -> torch.Tensor | None:
        """The rows to continue with if only some are ``left``, followed by the others; None: all, unchanged."""
        return left if len(left) <= CROWD * rows else None

    def after(self, speaking: DecodeState, tokens: torch.Tensor) -> DecodeState:
        """The state after one more token per row."""
        mask = torch.cat([speaking.mask, speaking.mask.new_ones(len(tokens), 1)], dim=1)
        position = speaking.position + 1
        logits = self.step(tokens.unsqueeze(1), mask, position, speaking.cache)
        return replace(speaking, logits=logits.float(), mask=mask, position=position)

    def read(self, **inputs: Any) -> Any:
        """Forward pass over prompts."""
        return self.model(**inputs)

    def step(self, *token: Any) -> torch.Tensor:
        """Forward pass over one token per row; see :func:`next_logits`."""
        return next_logits(self.model, *token)

    def _with_room(self, cache: DynamicCache, rows: torch.Tensor, room: int) -> Cache:
        if all(type(layer) is DynamicLayer for layer in cache.layers):
            cache.layers = [RoomyLayer(layer, rows, room) for layer in cache.layers]
        else:
            cache.batch_select_indices(rows)
        return cache


def next_logits(model: Any, ids: torch.Tensor, mask: torch.Tensor, position: torch.Tensor, cache: Cache) -> torch.Tensor:
    """Logits of shape (rows, vocabulary) after one more token in each row: ``ids`` of shape (rows, 1)."""
    read = model(input_ids=ids, attention_mask=mask, position_ids=position, past_key_values=cache, use_cache=True)
    logits: torch.Tensor = read.logits[:, -1]
    return logits


@torch.inference_mode()
def decode(
    decoder: Decoder, inputs: dict[str, Any], rows: Sequence[int], *, choose: Choose, max_tokens: int, ends: Sequence[int]
) -> list[list[int]]:
    """Decode one completion per entry of ``rows``.

    Args:
        inputs: the model's inputs for a batch of prompts, left-padded.
        rows: index of the prompt of each completion.
        choose: samples the next token of each row.
        max_tokens: longer completions are truncated.
        ends: end tokens.

    Returns:
        The token ids of each completion, with its end token.
    """
    device = inputs["input_ids"].device
    end_tokens = torch.tensor(sorted(ends), device=device)
    replies: list[list[int]] = [[] for _ in rows]
    speaking = decoder.begin(inputs, torch.tensor(rows, device=device), max_tokens)
    silent = torch.arange(len(speaking.numbers), device=device) >= len(rows)
    for said in range(1, max_tokens + 1):
        tokens = choose(speaking.logits)
        for number, token, is_silent in zip(speaking.numbers.tolist(), tokens.tolist(), silent.tolist(), strict=True):
            if not is_silent:
                replies[number].append(token)
        silent = silent | torch.isin(tokens, end_tokens)
        left = (~silent).nonzero().squeeze(1)
        if said == max_tokens or not len(left):
            break
        kept = decoder.fewer(left, len(silent))
        if kept is not None:
            speaking, tokens = speaking.only(kept), tokens[kept]
            silent = torch.arange(len(kept), device=device) >= len(left)
        speaking = decoder.after(speaking, tokens)
    return replies
