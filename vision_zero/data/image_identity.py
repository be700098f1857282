"""Which images show the same thing, whatever file they are in: a copy as JPEG, a smaller WebP, the next turn of an edit.

Images are compared by what is left of their pixels at 16x16, where coding and scaling hardly show and another image does.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

SIDE = 16
"""Pixels a side of what is compared."""
MOST, MOST_MEAN = 24, 3.5
"""Reduced copies of one image differ nowhere by more than this, and by no more than that on average (of 255). Measured: JPEG of
quality 20 stays below 8 and 1.6 for photographs, WebP of a third of the size below 15 and 1.8; the limits leave room for small
images with fine stripes. Two images of different things differ by 100 and more somewhere."""
ALIKE = 0.5
"""Correlation of the reduced grey values of an image and its edit; that of different images is around 0."""
_COARSE, _AT_ONCE = 4, 4096

Reduced = NDArray[np.uint8]
Name = TypeVar("Name", bound=Hashable)


def reduced(image: Image.Image) -> Reduced:
    """(16, 16, 3): the image's means over a grid, stretched to a square."""
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=4.0))


def look_alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two images have light and dark in the same places, as an image and its edit do, and one and its mask do not."""
    greys = [reduced(image).astype(np.float32).mean(axis=2).ravel() for image in (one, other)]
    if any(np.ptp(grey) == 0 for grey in greys):
        return False
    return float(np.corrcoef(*greys)[0, 1]) > ALIKE


def place_key(image: Image.Image) -> bytes:
    """A key that most copies of an image share: 64 bits of its coarse structure (perceptual hash). Copies that do not share it
    are found by :func:`same`."""
    return str(imagehash.phash(image.convert("L"), hash_size=8)).encode()


def same(images: Sequence[Reduced]) -> list[tuple[int, int]]:
    """The places of images that show the same, as pairs; where many do, enough pairs to connect them all."""
    first: dict[bytes, int] = {}
    links = []
    for place, image in enumerate(images):
        known = first.setdefault(image.tobytes(), place)
        if known != place:
            links.append((known, place))
    distinct = list(first.values())
    if len(distinct) < 2:
        return links
    values = np.stack([images[place] for place in distinct]).astype(np.int16)
    step = SIDE // _COARSE
    coarse = values.reshape(len(distinct), _COARSE, step, _COARSE, step, 3).mean(axis=(2, 4)).reshape(len(distinct), -1)
    near = cKDTree(coarse).query_pairs(MOST, p=np.inf, output_type="ndarray")
    flat = values.reshape(len(distinct), -1)
    for start in range(0, len(near), _AT_ONCE):
        part = near[start : start + _AT_ONCE]
        difference = np.abs(flat[part[:, 0]] - flat[part[:, 1]])
        alike = (difference.max(axis=1) <= MOST) & (difference.mean(axis=1) <= MOST_MEAN)
        links += [(distinct[one], distinct[other]) for one, other in part[alike]]
    return links


def groups(names: Iterable[Name], links: Iterable[tuple[Name, Name]]) -> list[list[Name]]:
    """Names that hang together by links, directly or through others; each group, and the groups, in the order of the names."""
    places = {name: place for place, name in enumerate(names)}
    ends = np.array([(places[one], places[other]) for one, other in links], dtype=np.intp).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(places), len(places)))
    found: dict[int, list[Name]] = {}
    for name, group in zip(places, connected_components(graph, directed=False)[1], strict=True):
        found.setdefault(int(group), []).append(name)
    return list(found.values())
