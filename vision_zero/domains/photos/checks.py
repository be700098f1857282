"""Measurements of photo pairs: does the change log agree with the list of edits?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.change_log import disagreement, log_fault


def measure(pair: ImagePair) -> dict[str, Any]:
    """What is wrong with the log; None where nothing is."""
    return {"log_fault": log_fault(_log_against_edits, pair)}


def _log_against_edits(pair: ImagePair) -> str:
    edits = cast(list[Mapping[str, Any]], pair.modified_facts["edits"])
    made = Counter((str(edit["kind"]), tuple(edit["box"])) for edit in edits)
    return disagreement(made, Counter((change.kind, change.box) for change in pair.changes), "list of edits")
