"""Examples about two scenes in one image: say what changed, as the suite of difference captions asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vision_zero.data.image_pair import changed
from vision_zero.domains.scenes.statements import SceneFacts
from vision_zero.evaluation.suites.differences import QUESTION
from vision_zero.warm_start.examples.example import Example, boxed, direct_reply, form, reasoned_reply
from vision_zero.warm_start.examples.scenes import from_left, in_full, listing


def difference_example(before: SceneFacts, after: SceneFacts, *, reasoned: bool) -> Example:
    """The changes from the scene on the left to that on the right; a reasoned answer first lists both scenes."""
    answer = boxed(". ".join(changes(before, after)))
    look = f"left {listing(before)}; right {listing(after)}"
    return Example(
        f"difference {form(reasoned)}", QUESTION, reasoned_reply(look, [], answer) if reasoned else direct_reply(answer)
    )


def changes(before: SceneFacts, after: SceneFacts) -> Iterator[str]:
    """What became of each object, from left to right, then the added ones; an object is known by where it stands."""
    now = {_place(item): in_full(item) for item in from_left(after)}
    for item in from_left(before):
        was, is_now = in_full(item), now.pop(_place(item), "")
        if was != is_now:
            yield changed(was, is_now)
    yield from (changed("", new) for new in now.values())


def _place(item: Mapping[str, Any]) -> tuple[float, float]:
    x, y, _ = item["3d_coords"]
    return x, y
