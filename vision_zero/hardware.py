"""The machine of a measurement, as JSON data."""

from __future__ import annotations

import os
import platform

Hardware = dict[str, str | int | None]


def hardware() -> Hardware:
    """Cores, architecture and Python version."""
    return {"cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version()}
