"""Micro-batches of an update by token budget: rows of similar length together.

TRL pads every row of an iteration to the longest and trains a fixed number of rows at a time. All rows go into one optimiser
step, so they can be sorted by length and grouped freely: each micro-batch is padded to its own longest row and holds as many
rows as the budget allows, so peak memory is about equal for all. Where prompts are shared, rows with a common prompt stay
together and the prompt counts once (:mod:`vision_zero.training.shared_prefix`). The gradient equals that of the full batch except
for rounding, because the loss of a micro-batch is weighted by its rows.

Behind shared prompts a reply costs only its own columns, so padding short replies to the longest would cost most of what sharing
saves: a policy that sometimes reasons and sometimes answers directly has replies of two lengths. Replies of similar length are
read in one pass, which is padded to its own longest. Each further pass costs time, too, whatever its size; :func:`passes` chooses
those that cost least together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from accelerate.utils import gather_object

from vision_zero.training.trl_adapter import split_pixel_values_by_grid, unsplit_pixel_values_by_grid

Batch = dict[str, Any]
SHARE = "share"
"""Where a micro-batch says which share of the rows it holds."""
PROMPT = "prompt"
"""Where a batch says which prompt each row answers, as a list of numbers: rows of one number share theirs."""
PLACE = "place"
"""Where a micro-batch says which rows of the batch it holds."""
PASSES = "passes"
"""Where a micro-batch with shared prompts says which of its replies are read together."""
RATIO = "importance_sampling_ratio"
"""Where a batch of a server's replies says what their policy gradient is multiplied by: one number for each token or reply."""
COUNTS = ("num_images", "num_tiles")
SEEN = (
    "pixel_values",
    "pixel_attention_mask",
    "image_grid_thw",
    "image_position_ids",
    "image_sizes",
    "spatial_shapes",
    "token_type_ids",
    "mm_token_type_ids",
    *COUNTS,
)
"""What a batch can have of its images: the model's inputs, and how many images and tiles are a row's."""
_MASKS = ("prompt_mask", "completion_mask")
_OF_PROMPTS = ("prompt_ids", "prompt_mask")
_OF_COMPLETIONS = (
    *("completion_ids", "completion_mask", "ref_per_token_logps", "old_per_token_logps"),
    *("sampling_per_token_logps", RATIO),
)
_OF_BOTH = ("token_type_ids", "mm_token_type_ids")
"""What has a column for each token."""

PASS = 128
"""What a pass costs beside its columns, in columns, about: calling all layers once more takes nano as long as 43 of them on a
CPU, and small passes leave a GPU idle."""

Lengths = Sequence[tuple[int, int]]
"""Tokens of each row's prompt and reply."""


class Pass(NamedTuple):
    """Replies that are read together.

    Attributes:
        rows: their places in the micro-batch.
        columns: what each of them is padded to, at least 1.
    """

    rows: list[int]
    columns: int


def microbatches(batch: Batch, tokens: int, *, shared: bool = False) -> list[Batch]:
    """Split a batch into micro-batches, shortest first; every rank gets the same number, with the same numbers of passes over
    replies, since ranks synchronise on each.

    Args:
        batch: TRL's batch of an iteration: tensors and lists with one entry per row, images by their grid; and ``PROMPT``.
        tokens: token budget of a micro-batch, padding included: prompts and completions. A longer row is one by itself.
        shared: rows of one prompt read it once; otherwise each row reads its own.
    """
    lengths = list(zip(*(batch[mask].sum(1).tolist() for mask in _MASKS), strict=True))
    rows_of = rows_by_microbatch(lengths, batch[PROMPT] if shared else None, tokens)
    rows_of = split_further(rows_of, max(gather_object([len(rows_of)])))
    rows = split_pixel_values_by_grid(batch)
    made = [{**_trimmed(_joined(rows, own)), SHARE: len(own) / len(lengths), PLACE: own} for own in rows_of]
    return _with_passes(made) if shared else made


def rows_by_microbatch(lengths: Lengths, prompts: Sequence[int] | None, tokens: int) -> list[list[int]]:
    """The rows of each micro-batch, such that its padded size is within the budget unless it is a single row.

    Completions of one prompt go into one micro-batch, unless they exceed the budget by themselves.

    Args:
        prompts: which prompt each row shares with others; None: each row reads its own.
    """
    groups = [[row] for row in range(len(lengths))] if prompts is None else _groups(prompts)
    pieces = [piece for group in groups for piece in _pieces(group, lengths, prompts, tokens)]
    # Replies of a micro-batch are padded in several passes, but its prompts in one.
    pieces.sort(key=lambda piece: sum(_longest(lengths, piece)) if prompts is None else _longest(lengths, piece)[0])
    rows_of: list[list[int]] = []
    for piece in pieces:
        if not rows_of or columns(lengths, prompts, [*rows_of[-1], *piece]) > tokens:
            rows_of.append([])
        rows_of[-1] += piece
    return rows_of


def columns(lengths: Lengths, prompts: Sequence[int] | None, rows: Sequence[int]) -> int:
    """What those rows take as a micro-batch, padding included."""
    prompt, reply = _longest(lengths, rows)
    if prompts is None:
        return len(rows) * (prompt + reply)
    return len({prompts[row] for row in rows}) * prompt + padded_size(passes([lengths[row][1] for row in rows]))


def split_further(rows_of: Sequence[list[int]], number: int) -> list[list[int]]:
    """Split the micro-batches with the most rows in two until there are ``number``."""
    rows_of = list(rows_of)
    while len(rows_of) < number:
        place = max(range(len(rows_of)), key=lambda own: len(rows_of[own]))
        half = (len(rows_of[place]) + 1) // 2
        rows_of[place : place + 1] = [rows_of[place][:half], rows_of[place][half:]]
    return rows_of


def passes(lengths: Sequence[int]) -> list[Pass]:
    """The passes over replies of these lengths, shortest first, whose columns and number cost least together.

    Exact: for sorted replies, the least cost of each beginning follows from those of shorter beginnings.
    """
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    bounds = [place for place, row in enumerate(order) if not place or lengths[row] != lengths[order[place - 1]]]
    bounds.append(len(order))
    found: list[list[Pass]] = [[]]
    costs = [0]
    for end in bounds[1:]:
        columns = max(1, lengths[order[end - 1]])
        cost, last = min((costs[place] + PASS + (end - bounds[place]) * columns, place) for place in range(len(costs)))
        costs.append(cost)
        found.append([*found[last], Pass(order[bounds[last] : end], columns)])
    return found[-1]


def in_number(own: Sequence[Pass], number: int) -> list[Pass]:
    """Those passes and, until there are ``number``, further ones over the shortest reply, whose scores nobody asks for.

    Processes that share out layers gather them together, so that all need equally many passes.
    """
    return [*own, *[Pass(own[0].rows[:1], own[0].columns)] * (number - len(own))]


def padded_size(own: Sequence[Pass]) -> int:
    """Columns of all passes, padding included."""
    return sum(len(rows) * columns for rows, columns in own)


def first_rows(microbatch: Batch) -> tuple[list[int], list[int]]:
    """The first row of each prompt of a batch, and for each row which of those prompts it answers."""
    numbers = microbatch[PROMPT]
    places = {number: place for place, number in enumerate(dict.fromkeys(numbers))}
    return [numbers.index(number) for number in places], [places[number] for number in numbers]


def picked(batch: Batch, rows: Sequence[int]) -> Batch:
    """Those rows of a batch."""
    return _joined(split_pixel_values_by_grid(batch), rows)


def sizes(batches: Sequence[Batch]) -> dict[str, float]:
    """Of all processes together ``update/tokens``: tokens that are read, of prompts and completions; ``update/padding``: share of
    the columns that hold none; ``update/shared``: share of all rows' tokens that need no reading, since another row's are read.
    """
    counts = gather_object([_counts(microbatch) for microbatch in batches])
    read, columns, total = (sum(count) for count in zip(*counts, strict=True))
    return {"update/tokens": float(read), "update/padding": 1 - read / columns, "update/shared": 1 - read / total}


def token_shares(batches: Sequence[Batch]) -> list[float]:
    """Each micro-batch's share of the completions' tokens, of all processes together. A collective call."""
    own = [int(microbatch["completion_mask"].sum()) for microbatch in batches]
    tokens = [sum(each) for each in zip(*gather_object([own]), strict=True)]
    return [number / sum(tokens) for number in tokens]


def weigh(metrics: dict[str, list[float]], shares: Sequence[float]) -> None:
    """Make one value of those that were noted for each micro-batch: their mean by these shares."""
    for values in metrics.values():
        if len(values) == len(shares):
            values[:] = [sum(value * share for value, share in zip(values, shares, strict=True))]


def _counts(microbatch: Batch) -> tuple[int, int, int]:
    """Tokens that are read, columns that hold them, and tokens of complete rows."""
    prompts, replies = (microbatch[mask] for mask in _MASKS)
    total = int(prompts.sum() + replies.sum())
    if PASSES not in microbatch:
        return total, prompts.numel() + replies.numel(), total
    first, _ = first_rows(microbatch)
    read = int(prompts[first].sum() + replies.sum())
    return read, len(first) * prompts.shape[1] + padded_size(microbatch[PASSES]), total


def _with_passes(made: Sequence[Batch]) -> list[Batch]:
    """With the passes over their replies."""
    own = [passes(microbatch["completion_mask"].sum(1).tolist()) for microbatch in made]
    numbers = zip(*gather_object([[len(each) for each in own]]), strict=True)
    return [
        {**microbatch, PASSES: in_number(each, max(number))} for microbatch, each, number in zip(made, own, numbers, strict=True)
    ]


def _groups(prompts: Sequence[int]) -> list[list[int]]:
    """The rows of each prompt."""
    groups: dict[int, list[int]] = {}
    for row, prompt in enumerate(prompts):
        groups.setdefault(prompt, []).append(row)
    return list(groups.values())


def _pieces(group: Sequence[int], lengths: Lengths, prompts: Sequence[int] | None, tokens: int) -> list[list[int]]:
    """Rows of one prompt, the shortest first, in as few pieces as the budget allows."""
    pieces: list[list[int]] = []
    for row in sorted(group, key=lambda row: lengths[row][1]):
        if not pieces or columns(lengths, prompts, [*pieces[-1], row]) > tokens:
            pieces.append([])
        pieces[-1].append(row)
    return pieces


def _longest(lengths: Lengths, rows: Sequence[int]) -> tuple[int, int]:
    """Of the rows' prompts, and of their replies."""
    return max(lengths[row][0] for row in rows), max(lengths[row][1] for row in rows)


def _joined(batch: Batch, rows: Sequence[int]) -> Batch:
    """Rows of a batch that lies in rows, images too."""
    return dict(unsplit_pixel_values_by_grid({key: _of_rows(value, rows) for key, value in batch.items()}))


def _of_rows(value: Any, rows: Sequence[int]) -> Any:
    if isinstance(value, list):
        return [value[row] for row in rows]
    return value[list(rows)] if isinstance(value, torch.Tensor) and value.ndim else value


def _trimmed(microbatch: Batch) -> Batch:
    """Without the columns that are padding in every row: at the left of the prompts, at the right of the completions."""
    prompt = microbatch["prompt_mask"].shape[1]
    start = prompt - int(microbatch["prompt_mask"].sum(1).max())
    end = max(1, int(microbatch["completion_mask"].sum(1).max()))

    columns = {
        **dict.fromkeys(_OF_PROMPTS, slice(start, None)),
        **dict.fromkeys(_OF_COMPLETIONS, slice(end)),
        **dict.fromkeys(_OF_BOTH, slice(start, prompt + end)),
    }
    return {key: value[:, columns[key]] if key in columns else value for key, value in microbatch.items()}
