"""Fonts: tests must not depend on those that a machine happens to have."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pytest
from matplotlib.font_manager import fontManager


@pytest.fixture
def no_installed_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """matplotlib knows its own fonts alone, and forgets those that a test adds."""
    own = Path(matplotlib.get_data_path())
    monkeypatch.setattr(fontManager, "ttflist", [entry for entry in fontManager.ttflist if own in Path(entry.fname).parents])
