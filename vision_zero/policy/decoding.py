"""Replies drawn token by token: what ``generate`` does, without three things that it does in vain.

- A prompt that several replies answer (the votes of one group) is read once, not once for each reply.
- Keys and values are written into room that is already there; the library's cache copies all of them for every token.
- A reply that has ended leaves the batch; ``generate`` feeds it padding until the longest one ends.

Greedy replies are those of ``generate``: tests/policy/test_decoding.py holds them to it for every family of models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

Choose = Callable[[torch.Tensor], torch.Tensor]
"""From logits of shape (rows, vocabulary) to a token for each row."""

CROWD = 0.75
"""Ended replies leave the batch when no more than this share of it still speaks: each time, the rest of the cache is copied."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A layer of the cache for some rows of another, with room for tokens that are still to come."""

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
        """Go on with these rows only."""
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
class Speaking:
    """The replies that have not ended, a row of the batch each.

    Attributes:
        numbers: which reply each row is.
        logits: of the next token, (rows, vocabulary).
        mask: of all tokens so far, (rows, tokens).
        position: of the last token, (rows, 1), or (axes, rows, 1) where the model counts along several.
        cache: keys and values of all tokens so far.
    """

    numbers: torch.Tensor
    logits: torch.Tensor
    mask: torch.Tensor
    position: torch.Tensor
    cache: DynamicCache

    def only(self, rows: torch.Tensor) -> Speaking:
        """These rows; the cache forgets the others."""
        self.cache.batch_select_indices(rows)
        return replace(
            self,
            numbers=self.numbers[rows],
            logits=self.logits[rows],
            mask=self.mask[rows],
            position=self.position[..., rows, :],
        )

    def after(self, model: Any, tokens: torch.Tensor) -> Speaking:
        """One token later: they have been said, and the model has read them."""
        mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=1)
        position = self.position + 1
        read = model(
            input_ids=tokens.unsqueeze(1),
            attention_mask=mask,
            position_ids=position,
            past_key_values=self.cache,
            use_cache=True,
        )
        return replace(self, logits=read.logits[:, -1].float(), mask=mask, position=position)


@torch.inference_mode()
def decode(
    model: Any, inputs: dict[str, Any], rows: Sequence[int], *, choose: Choose, max_tokens: int, ends: Sequence[int]
) -> list[list[int]]:
    """Draw a reply for each row.

    Args:
        model: an image-text-to-text model whose cache grows with every token.
        inputs: its inputs for a batch of prompts, left-padded.
        rows: the prompt, by its place in the batch, that each reply answers.
        choose: draws the next token of each row.
        max_tokens: a longer reply is cut off.
        ends: tokens that end a reply.

    Returns:
        The tokens of each reply, with the one that ended it.
    """
    end_tokens = torch.tensor(sorted(ends), device=inputs["input_ids"].device)
    replies: list[list[int]] = [[] for _ in rows]
    speaking = _read(model, inputs, rows, max_tokens)
    silent = torch.zeros(len(rows), dtype=torch.bool, device=end_tokens.device)
    for said in range(1, max_tokens + 1):
        tokens = choose(speaking.logits)
        for number, token, is_silent in zip(speaking.numbers.tolist(), tokens.tolist(), silent.tolist(), strict=True):
            if not is_silent:
                replies[number].append(token)
        silent = silent | torch.isin(tokens, end_tokens)
        left = (~silent).nonzero().squeeze(1)
        if said == max_tokens or not len(left):
            break
        if len(left) <= CROWD * len(silent):
            speaking, tokens, silent = speaking.only(left), tokens[left], silent[left]
        speaking = speaking.after(model, tokens)
    return replies


def _read(model: Any, inputs: dict[str, Any], rows: Sequence[int], max_tokens: int) -> Speaking:
    """The prompts, read once each, as the beginning of every reply to them."""
    ids = inputs["input_ids"]
    chosen = torch.tensor(rows, device=ids.device)
    positions = model._prepare_position_ids_for_generation(ids, dict(inputs))
    cache = DynamicCache(config=model.config.get_text_config(decoder=True))
    read = model(**inputs, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1)
    room = ids.shape[1] + max_tokens
    if all(type(layer) is DynamicLayer for layer in cache.layers):
        cache.layers = [RoomyLayer(layer, chosen, room) for layer in cache.layers]
    else:
        cache.batch_select_indices(chosen)
    return Speaking(
        numbers=torch.arange(len(rows), device=ids.device),
        logits=read.logits[:, -1].float()[chosen],
        mask=inputs["attention_mask"][chosen],
        position=positions[..., -1:].expand(*positions.shape[:-2], len(ids), 1)[..., chosen, :],
        cache=cache,
    )
