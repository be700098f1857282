"""Difference captions: two scenes side by side; say what changed. Scored on the change log, not against a reference sentence."""

from __future__ import annotations

from collections.abc import Mapping

from vision_zero.config.suites import Look, SuiteConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.evaluation.suite import Verdict
from vision_zero.evaluation.suites import scenes
from vision_zero.evaluation.suites.captions import score_caption
from vision_zero.evaluation.suites.procedural import ProceduralSuite, SuiteQuestion, held_out, image_grid, name_of

NAME, VERSION = "differences", 3
QUESTION = (
    "The picture on the right is the one on the left after something was changed. Say what changed, one change in a line, like "
    "this: the large red metal cube became a large blue metal sphere. A small green rubber cylinder was added. The large gray "
    "rubber sphere was removed."
)
SOME = "some change told"
"""The name under which replies that tell at least one change are counted."""
LOOKS: Mapping[Look, ScenesConfig] = {
    look: config.model_copy(
        update={"edits": {"recolor_reshape": 2.0, "recolor": 1.0, "reshape": 1.0, "add": 1.0, "remove": 1.0}, "min_changes": 1}
    )
    for look, config in scenes.LOOKS.items()
}


def open_suite(config: SuiteConfig) -> ProceduralSuite:
    """The suite as it is configured."""
    return difference_suite(config.look, config.items)


def difference_suite(look: Look, count: int) -> ProceduralSuite:
    """``count`` pairs of scenes with one or two changes."""
    source, root = SceneSource(LOOKS[look]), held_out(NAME, VERSION)

    def pose(number: int) -> SuiteQuestion:
        pair = source.sample(root.child(look, number))
        return SuiteQuestion(QUESTION, image_grid([pair.original, pair.modified], columns=2), lambda reply: _verdict(pair, reply))

    return ProceduralSuite(name_of(NAME, look), VERSION, count, pose, __name__)


def _verdict(pair: ImagePair, reply: str) -> Verdict:
    caption = score_caption(reply, pair.changes)
    return Verdict(
        extraction=f"{caption.told} of {caption.logged} changes told, {caption.false} false",
        prediction=None,
        answers=("; ".join(change.sentence() for change in pair.changes),),
        is_right=caption.is_right,
        is_answered=bool(caption.told or caption.false),
        also={SOME: caption.told > 0},
        groups={"edit": tuple(sorted({change.kind for change in pair.changes})), "changes": (str(caption.logged),)},
        details={"told": caption.told, "false": caption.false, "f1": caption.f1},
    )
