"""Registry of training methods, the values of ``learning.method``.

A method is a module of the training package with a function ``run_stage(stage, job) -> StageResult``, and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from vision_zero.config.base import named_in

METHODS: Mapping[str, str] = {
    "self_play": "self_play",
    "supervised": "supervised",
}
"""Modules of the training package, by method."""


Method = Annotated[str, named_in(METHODS, "training method")]
