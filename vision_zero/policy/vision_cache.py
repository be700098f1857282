"""A cache of image features of a frozen vision encoder.

A game shows the same two images in every clue, every vote, the reference pass and the update. If the vision side is not trained
(``policy.train_on: language``), its features are constant for the whole stage and are computed once per image. The cache key
covers every bit of the pixel values.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from transformers.modeling_outputs import BaseModelOutputWithPooling

from vision_zero.policy.families import family_of
from vision_zero.policy.trainable import parameter_sides
from vision_zero.policy.transformers_adapter import is_replaced, replace_method, restore_method

ROOM = 512 * 1024**2
"""Capacity in bytes; the least recently used features are evicted."""

_METHOD = "get_image_features"

CachedFeatures = tuple[torch.Tensor, ...]
"""Features of one image: those inserted into the prompt, and those for decoder layers, if the model has any."""


@dataclass
class Features(BaseModelOutputWithPooling):  # type: ignore[misc]
    """The output type of ``get_image_features`` for all families."""

    deepstack_features: list[tuple[torch.Tensor, ...]] | None = None


class VisionCache:
    """Replaces ``get_image_features`` of a model with a frozen vision side.

    Args:
        look: the model's own method.
        room: capacity in bytes; the least recently used features are evicted.
    """

    def __init__(self, look: Callable[..., Any], room: int = ROOM) -> None:
        self.look = look
        self.room = room
        self._seen: OrderedDict[bytes, CachedFeatures] = OrderedDict()
        self._used = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> VisionCache:
        return self  # a copy of the model has the same frozen vision encoder

    def __call__(self, pixel_values: torch.Tensor, image_grid_thw: torch.Tensor | None = None, **options: Any) -> Any:
        ends = range(1, len(pixel_values) + 1) if image_grid_thw is None else image_grid_thw.prod(-1).cumsum(0).tolist()
        pieces = [slice(start, end) for start, end in pairwise([0, *ends])]
        keys = _keys(pixel_values, pieces, image_grid_thw)
        known = {key: self._seen[key] for key in keys if key in self._seen}
        first = {key: number for number, key in reversed(list(enumerate(keys))) if key not in known}
        new = sorted(first.values())
        if new:
            pixels = pixel_values if len(new) == len(keys) else torch.cat([pixel_values[pieces[number]] for number in new])
            grids = [] if image_grid_thw is None else [image_grid_thw[new]]
            known.update(zip([keys[number] for number in new], self._looked(pixels, *grids, **options), strict=True))
        self._remember(known)
        return _together([known[key] for key in keys], is_flat=image_grid_thw is not None)

    def _looked(self, pixels: torch.Tensor, *grids: torch.Tensor, **options: Any) -> list[CachedFeatures]:
        # Cached features must depend neither on inference mode in play nor on mixed precision in the update.
        with torch.inference_mode(False), torch.no_grad(), torch.autocast(pixels.device.type, enabled=False):
            features = self.look(pixels, *grids, **options)
            layers = getattr(features, "deepstack_features", None) or []
            # Clone: a view would keep the memory of its whole batch.
            return [tuple(part.clone() for part in seen) for seen in zip(features.pooler_output, *layers, strict=True)]

    def _remember(self, known: dict[bytes, CachedFeatures]) -> None:
        for key, seen in known.items():
            if key not in self._seen:
                self._used += _size(seen)
            self._seen[key] = seen
            self._seen.move_to_end(key)
        while self._used > self.room:
            self._used -= _size(self._seen.popitem(last=False)[1])


def enable_vision_cache(model: Any) -> None:
    """Cache the image features of this model, whose vision parameters must not change from now on.

    Without effect for families that are not known to encode images independently (:mod:`vision_zero.policy.families`).
    """
    if not family_of(model.config).caches_images:
        return
    core = model.base_model
    replace_method(core, _METHOD, VisionCache(core.get_image_features))


def disable_if_vision_is_adapted(model: Any, known: set[int], *copies: Any) -> None:
    """Disable the cache if an adapter was added to the vision side: features then depend on whether it is enabled.

    Args:
        known: ids of the parameters that the model had before.
        copies: of the model, which share its cache.
    """
    if not is_replaced(model.base_model, _METHOD):
        return
    parameters, sides = dict(model.named_parameters()), parameter_sides(model)
    if any(side == "vision" and id(parameters[name]) not in known for name, side in sides.items()):
        for each in (model, *copies):
            disable_vision_cache(each)


def disable_vision_cache(model: Any) -> bool:
    """Disable the cache; returns whether it was enabled."""
    return restore_method(model.base_model, _METHOD)


def _keys(pixels: torch.Tensor, pieces: Sequence[slice], grids: torch.Tensor | None) -> list[bytes]:
    """Cache keys: the image's grid and, per row of pixel values, a randomly weighted sum of the bits modulo 2⁶⁴.

    Integer sums are exact in any order on any device, and only the sums are copied from the GPU.
    """
    rows = pixels.reshape(len(pixels), -1, pixels.shape[-1])
    bits = rows.view(torch.int16 if rows.element_size() == 2 else torch.int32).long()
    weights = torch.randint(-(2**63), 2**63 - 1, (bits.shape[-1],), generator=torch.Generator().manual_seed(0))
    sums = (bits * weights.to(bits.device)).sum(-1).cpu().numpy()
    shapes = [b""] * len(pieces) if grids is None else [grid.tobytes() for grid in grids.cpu().numpy()]
    return [shape + sums[piece].tobytes() for shape, piece in zip(shapes, pieces, strict=True)]


def _together(seen: Sequence[CachedFeatures], *, is_flat: bool) -> Features:
    """The model's own output format: a tensor per image, or one tensor of all tiles."""
    first, *layers = zip(*seen, strict=True)
    return Features(pooler_output=first if is_flat else torch.stack(first), deepstack_features=layers or None)


def _size(seen: CachedFeatures) -> int:
    return sum(features.nbytes for features in seen)
