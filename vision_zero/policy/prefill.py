"""Prompts that are read once for several replies, and prefilled replies, which begin with given tokens."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch

Chat = Sequence[Mapping[str, Any]]


def prefilled_inputs(inputs: dict[str, Any], begun: Sequence[Sequence[int]], padding: int) -> dict[str, Any]:
    """Append to each prompt of a left-padded batch the tokens that its reply begins with; the result is left-padded.

    Args:
        inputs: the processor's output for the prompts.
        begun: the first tokens of each reply; empty without a prefix.
        padding: the padding token.

    Returns:
        The inputs, with all per-token values extended; the reply's tokens have the type of text, 0.
    """
    longest = max(map(len, begun), default=0)
    if not longest:
        return inputs
    shape = inputs["input_ids"].shape
    fill = {"input_ids": padding}
    longer = dict(inputs)
    for name, tensor in inputs.items():
        if not isinstance(tensor, torch.Tensor) or tensor.shape != shape:
            continue
        rows = tensor.new_full((shape[0], shape[1] + longest), fill.get(name, 0))
        for row, (values, tokens) in enumerate(zip(tensor, begun, strict=True)):
            end = rows.shape[1] - len(tokens)
            rows[row, end - shape[1] : end] = values
            said = {"input_ids": tokens, "attention_mask": [1] * len(tokens)}.get(name, [0] * len(tokens))
            rows[row, end:] = torch.tensor(said, dtype=tensor.dtype, device=tensor.device)
        longer[name] = rows
    return longer


def unpadded(inputs: Mapping[str, Any]) -> list[list[int]]:
    """The token ids of each prompt of a batch, without padding."""
    kept = inputs["attention_mask"].bool()
    return [ids[mask].tolist() for ids, mask in zip(inputs["input_ids"], kept, strict=True)]


def written_tokens(tokenizer: Any, text: str) -> list[int]:
    """The tokens of words that somebody wrote: the name of a special token is words, too, and not that token.

    A reply may spell ``<image>`` in letters; read again as the placeholder of an image it would ask for an image that is not
    there.
    """
    return list(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))


def next_tokens(tokenizer: Any, begun: str, options: Sequence[str]) -> list[list[int]]:
    """The tokens that each option adds to a text if text and option are tokenised together.

    If a tokenizer merges the end of the text with an option, the options' tokens start at the first position where any differs.
    """
    before = written_tokens(tokenizer, begun)
    whole = [written_tokens(tokenizer, begun + option) for option in options]
    shared = 0
    while shared < len(before) and all(shared < len(tokens) and tokens[shared] == before[shared] for tokens in whole):
        shared += 1
    return [tokens[shared:] for tokens in whole]


def distinct(messages: Sequence[Chat]) -> tuple[list[int], list[int]]:
    """Deduplicate prompts: the prompt's index for each chat, and for each prompt the index of its first chat."""
    prompts: dict[Hashable, int] = {}
    rows, first = [], []
    for place, chat in enumerate(messages):
        content = _content(chat)
        if content not in prompts:
            prompts[content] = len(prompts)
            first.append(place)
        rows.append(prompts[content])
    return rows, first


def _content(messages: Chat) -> Hashable:
    """What a chat says and shows; chats with the same are one prompt."""
    parts = [part for message in messages for part in message["content"]]
    return tuple((part["image"].size, part["image"].tobytes()) if part["type"] == "image" else part["text"] for part in parts)
