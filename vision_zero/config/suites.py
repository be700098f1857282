"""Settings of an evaluation: who answers, which suites, and how."""

from __future__ import annotations

from typing import Literal

Look = Literal["full", "compact"]
"""``full``: 320x240 scenes and 480x360 charts with text; ``compact``: the 112x112 pictures of the embedded policy."""
