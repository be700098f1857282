"""What measurements were made on, as JSON data."""

from __future__ import annotations

import os
import platform

Machine = dict[str, str | int | None]


def machine() -> Machine:
    """Cores, architecture and Python."""
    return {"cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version()}
