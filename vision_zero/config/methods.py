"""Registry of training methods, the values of ``learning.method``.

A method is a module of the training package with a function ``run_stage(stage, job) -> StageResult``, and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

METHODS: Mapping[str, str] = {
    "self_play": "self_play",
    "supervised": "supervised",
}
"""Modules of the training package, by method."""


def _known(name: str) -> str:
    if name not in METHODS:
        raise ValueError(f"{name!r} is not a training method: there are {', '.join(METHODS)}")
    return name


Method = Annotated[str, AfterValidator(_known)]
