"""Does the change log tell the truth? Held against what the source wrote down beside the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast, get_args

from vision_zero.config.pairs import ChartEdit
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.charts.chart import from_facts
from vision_zero.domains.charts.chart_diff import differences, strays
from vision_zero.domains.scenes.clevr import from_clevr
from vision_zero.domains.scenes.scene import SceneObject
from vision_zero.errors import PairsError


def log_fault(pair: ImagePair) -> str:
    """What the log says wrongly, in one line; empty where it is true. Of imported pairs nothing is known to hold it against."""
    try:
        if pair.domain == "charts":
            return _chart_fault(pair)
        if pair.domain == "scenes":
            return _scene_fault(pair)
        return _photo_fault(pair) if pair.domain == "photos" else ""
    except (PairsError, KeyError, TypeError, ValueError) as error:
        return f"its facts cannot be read: {error}"


def _chart_fault(pair: ImagePair) -> str:
    before, after = (from_facts(facts)[0] for facts in (pair.original_facts, pair.modified_facts))
    kinds = {change.kind for change in pair.changes}
    if len(kinds) != 1 or not kinds <= set(get_args(ChartEdit)):
        return f"one edit of a chart is expected, but the log has {', '.join(sorted(kinds)) or 'none'}"
    kind = cast(ChartEdit, kinds.pop())
    if moved := strays(before, after, kind):
        return f"the {' and the '.join(moved)} of the chart differs too"
    return _compared(
        Counter(differences(before, after, kind)), Counter((each.before, each.after) for each in pair.changes), "table"
    )


def _scene_fault(pair: ImagePair) -> str:
    before, after = (Counter(_objects(facts)) for facts in (pair.original_facts, pair.modified_facts))
    gone, come = (Counter(_words(item) for item in difference.elements()) for difference in (before - after, after - before))
    logged = [
        Counter(words for words in side if words) for side in zip(*((c.before, c.after) for c in pair.changes), strict=True)
    ]
    return _compared(gone, logged[0], "scene") or _compared(come, logged[1], "scene") if logged else "the log is empty"


def _photo_fault(pair: ImagePair) -> str:
    made = Counter(
        (str(edit["kind"]), tuple(edit["box"])) for edit in cast(list[Mapping[str, Any]], pair.modified_facts["edits"])
    )
    return _compared(made, Counter((change.kind, change.box) for change in pair.changes), "list of edits")


def _objects(facts: Mapping[str, Any]) -> tuple[SceneObject, ...]:
    return from_clevr(facts).objects


def _words(item: SceneObject) -> str:
    return f"{item.size} {item.color} {item.material} {item.shape}"


def _compared(found: Counter[Any], logged: Counter[Any], where: str) -> str:
    for wrong, words in (
        (logged - found, "the log names a change that the {} does not show"),
        (found - logged, "the {} differs where the log says nothing"),
    ):
        if wrong:
            return f"{words.format(where)}: {' → '.join(map(str, _parts(next(iter(wrong)))))}"
    return ""


def _parts(entry: object) -> tuple[object, ...]:
    return entry if isinstance(entry, tuple) else (entry,)
