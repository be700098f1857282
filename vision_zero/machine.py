"""What measurements were made on."""

from __future__ import annotations

import os
import platform

import torch


def machine() -> dict[str, str | int | None]:
    """Device, cores, threads and versions, as JSON data."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or platform.machine()
    return {
        "device": device,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
